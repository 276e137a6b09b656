#!/usr/bin/perl
# rt-seed.pl FILE: what carillon's tests need in a fresh Request Tracker: a queue with custom fields, three users and their
# API tokens, which go to FILE as KEY=VALUE lines. carillon makes tickets, operator is a person, readonly may only look.
use strict;
use warnings;
use RT -init;

my $file = shift or die "usage: rt-seed.pl FILE\n";
my $root = RT::CurrentUser->new;
$root->LoadByName('root');

# RT's methods return (value, message).
sub must {
    my ($what, $value, $message) = @_;
    die "$what: " . ($message // 'failed') . "\n" unless $value;
    return $value;
}

my $queue = RT::Queue->new($root);
must('queue', $queue->Create(Name => 'Incidents', Description => 'incidents of monitored services'));

my @fields = (
    ['DedupKey',        'FreeformSingle'],
    ['CI',              'FreeformSingle'],
    ['Severity',        'SelectSingle', 'critical', 'major', 'minor', 'warning', 'info'],
    ['Tags',            'FreeformMultiple'],
    ['Count',           'FreeformSingle'],
    ['AssignmentGroup', 'FreeformSingle'],
    ['Details',         'TextSingle'],
);
for my $f (@fields) {
    my ($name, $type, @choices) = @$f;
    my $field = RT::CustomField->new($root);
    must("field $name", $field->Create(Name => $name, Type => $type, LookupType => 'RT::Queue-RT::Ticket'));
    my $order = 0;
    must("choice $_", $field->AddValue(Name => $_, SortOrder => $order++)) for @choices;
    must("field $name in the queue", $field->AddToObject($queue));
}

my @look = qw(SeeQueue ShowTicket SeeCustomField);
my @work = qw(CreateTicket ModifyTicket ShowTicketComments CommentOnTicket ReplyToTicket OwnTicket TakeTicket
  ModifyCustomField SetInitialCustomField);

my %rights = (carillon => [@look, @work], operator => [@look, @work], readonly => [@look]);
my %name_of = (carillon => 'TOKEN', operator => 'HUMAN_TOKEN', readonly => 'READONLY_TOKEN');
my %token;
for my $name (sort keys %rights) {
    my $user = RT::User->new($root);
    my $password = join '', map { ('a' .. 'z', 0 .. 9)[rand 36] } 1 .. 24;
    must("user $name",
        $user->Create(Name => $name, EmailAddress => "$name\@carillon.test", Privileged => 1, Password => $password));
    must("$name may $_", $user->PrincipalObj->GrantRight(Right => $_, Object => $queue)) for @{$rights{$name}};
    my $auth = RT::AuthToken->new(RT->SystemUser);
    my ($ok, $message, $value) = $auth->Create(Owner => $user->Id, Description => 'tests of carillon');
    must("token of $name", $ok, $message);
    $token{$name} = $value;
}

open my $out, '>', $file or die "$file: $!\n";
print $out "$name_of{$_}=$token{$_}\n" for sort keys %token;
close $out or die "$file: $!\n";
