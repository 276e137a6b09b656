#!/usr/bin/perl
# znuny-seed.pl FILE: a queue, dynamic fields and three agents; FILE gets their passwords.
use strict; use warnings;
use Kernel::System::ObjectManager;
my $file = shift or die 'usage';
$Kernel::OM = Kernel::System::ObjectManager->new('Kernel::System::Log' => { LogPrefix => 'seed' });
sub pw { my $p = ''; open my $f, '<:raw', '/dev/urandom' or die; read $f, my $b, 18; $p .= ('a'..'z', 'A'..'Z', 0..9)[ord($_) % 62] for split //, $b; $p }
my $U = $Kernel::OM->Get('Kernel::System::User');
my $G = $Kernel::OM->Get('Kernel::System::Group');
my $Q = $Kernel::OM->Get('Kernel::System::Queue');
my $D = $Kernel::OM->Get('Kernel::System::DynamicField');
my $gid = $G->GroupAdd(Name => 'incidents', ValidID => 1, UserID => 1) or die 'group';
$Q->QueueAdd(Name => 'Incidents', ValidID => 1, GroupID => $gid, SystemAddressID => 1, SalutationID => 1,
    SignatureID => 1, FollowUpID => 1, FollowUpLock => 0, Comment => 'carillon tests', UserID => 1) or die 'queue';
my $n = 1;
for my $f ([qw(DedupKey Text)], [qw(CI Text)], [qw(Count Text)]) {
    $D->DynamicFieldAdd(Name => $f->[0], Label => $f->[0], FieldOrder => $n++, FieldType => $f->[1],
        ObjectType => 'Ticket', Config => { DefaultValue => '' }, ValidID => 1, UserID => 1) or die "field $f->[0]";
}
my %pw;
for my $u (qw(carillon operator readonly)) {
    $pw{$u} = pw();
    my $id = $U->UserAdd(UserFirstname => $u, UserLastname => 'test', UserLogin => $u, UserPw => $pw{$u},
        UserEmail => "$u\@carillon.test", ValidID => 1, ChangeUserID => 1) or die "user $u";
    $G->PermissionGroupUserAdd(GID => $gid, UID => $id, UserID => 1,
        Permission => $u eq 'readonly' ? { ro => 1 } : { rw => 1 }) or die "perm $u";
}
$pw{root} = pw();
$U->SetPassword(UserLogin => 'root@localhost', PW => $pw{root}) or die 'root';
open my $fh, '>', $file or die $!;
print $fh "TOKEN=$pw{carillon}\nHUMAN_TOKEN=$pw{operator}\nREADONLY_TOKEN=$pw{readonly}\nADMIN_PASSWORD=$pw{root}\n";
close $fh;
