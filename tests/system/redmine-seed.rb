# redmine-seed.rb FILE, by "rails runner": a project with a tracker, custom fields and three users; FILE gets their API keys.
Setting.rest_api_enabled = '1'
Setting.notified_events = []
Setting.default_language = 'en'

tracker = Tracker.create!(name: 'Incident', default_status: IssueStatus.sorted.first)
states = IssueStatus.pluck(:id)
Role.givable.each do |role|
  states.product([0] + states).each do |to, from|
    WorkflowTransition.create!(tracker_id: tracker.id, role_id: role.id, old_status_id: from, new_status_id: to) unless to == from
  end
end

project = Project.new(name: 'Incidents', identifier: 'incidents', is_public: false)
project.trackers = [tracker]
project.enabled_module_names = %w[issue_tracking]
project.save!

fields = { 'DedupKey' => 'string', 'CI' => 'string', 'Count' => 'int' }.map do |name, format|
  field = IssueCustomField.new(name: name, field_format: format, is_filter: true, searchable: format == 'string', is_for_all: true)
  field.trackers = [tracker]
  field.save!
  field.id
end

manager = Role.find_by(name: 'Manager')
manager.add_permission!(:manage_subtasks, :manage_issue_relations)
reporter = Role.find_by(name: 'Reporter')
reporter.remove_permission!(:add_issues, :add_issue_notes, :edit_issues, :edit_own_issues)
keys = [['carillon', manager], ['operator', manager], ['readonly', reporter]].map do |login, role|
  user = User.new(firstname: login, lastname: 'test', mail: "#{login}@carillon.test", language: 'en')
  user.login = login
  user.password = user.password_confirmation = SecureRandom.alphanumeric(20)
  user.save!
  Member.create!(project: project, principal: user, roles: [role])
  user.api_key
end
File.write(ARGV[0], "TOKEN=#{keys[0]}\nHUMAN_TOKEN=#{keys[1]}\nREADONLY_TOKEN=#{keys[2]}\nPROJECT_ID=#{project.id}\n" \
                    "TRACKER_ID=#{tracker.id}\nCF_DEDUP=#{fields[0]}\nCF_CI=#{fields[1]}\nCF_COUNT=#{fields[2]}\n")
