/* One payload or more for every product, written for this test: what it becomes, and that nothing else takes it. Quotes
 * are written as ', those inside a text as @, and double ones that stay as `. */
static const struct product products[] = {
	{.profile = "airbrake", .n = 1,
	 .body = "{'error':{'id':'77','error_message':'no route to stock','error_class':'RouteError','project':{'id':3"
		 ",'name':'Shop'},'environment':'live','last_occurred_at':'2026-11-20T10:00:00Z'},'airbrake_error_url'"
		 ":'https://e.example/77'}",
	 .expect = "check=RouteError;service=shop;summary=no route to stock;dedup_key=airbrake/77;time=2026-11-20T10:00:"
		 "00Z;severity=warning"},
	{.profile = "alertmanager", .n = 2,
	 .body = "{'receiver':'ops','status':'firing','groupKey':'{}','externalURL':'http://am','version':'4','alerts'"
		 ":[{'status':'firing','labels':{'alertname':'QueueFull','instance':'mq-1:9100','severity':'page'},'an"
		 "notations':{'summary':'queue is full','description':'97 % of mq-1'},'startsAt':'2026-11-20T10:00:00."
		 "5Z','endsAt':'0001-01-01T00:00:00Z','fingerprint':'aa01'},{'status':'resolved','labels':{'alertname'"
		 ":'QueueFull','host':'MQ-2','instance':'x:1'},'fingerprint':'aa02'}]}",
	 .expect = "check=QueueFull;host=mq-1;summary=queue is full;message=97 % of mq-1;severity=critical;state=problem"
		 ";dedup_key=alertmanager/aa01;time=2026-11-20T10:00:00.5Z|state=clear;host=mq-2;severity=warning"},
	{.profile = "alertmanager-api-v2", .n = 1,
	 .body = "[{'labels':{'alertname':'QueueFull','instance':'mq-1:9100','severity':'high'},'annotations':{'summar"
		 "y':'queue is full'},'startsAt':'2026-11-20T10:00:00Z','endsAt':'2026-11-22T11:00:00Z','generatorURL'"
		 ":'http://p'}]",
	 .expect = "check=QueueFull;host=mq-1;severity=major;state=clear;summary=queue is full"},
	{.profile = "appdynamics", .n = 1,
	 .body = "{'appName':'shop','eventType':'POLICY_OPEN_CRITICAL','eventMessage':'response time is high','severit"
		 "y':'ERROR','nodeName':'node-4','id':'91','eventTime':'2026-11-20 10:00:00'}",
	 .expect = "check=POLICY_OPEN_CRITICAL;host=node-4;service=shop;summary=response time is high;state=problem;seve"
		 "rity=critical;dedup_key=appdynamics/91;time=2026-11-20T10:00:00Z"},
	{.profile = "axiom", .n = 1,
	 .body = "{'action':'Closed','event':{'monitorID':'mon9','title':'Resolved: Slow checkout','body':'value 3 is "
		 "below 5','queryStartTime':'2026-11-20 09:55:00.1 +0000 UTC','queryEndTime':'2026-11-20 10:00:00.1 +0"
		 "000 UTC','timestamp':'2026-11-20 10:00:00 +0000 UTC','value':3}}",
	 .expect = "check=Slow checkout;summary=Resolved: Slow checkout;message=value 3 is below 5;state=clear;dedup_key"
		 "=axiom/mon9;time=2026-11-20T10:00:00Z"},
	{.profile = "azuremonitor", .n = 1,
	 .body = "{'schemaId':'azureMonitorCommonAlertSchema','data':{'essentials':{'alertId':'/subscriptions/s/provid"
		 "ers/a/1','alertRule':'disk-low','severity':'Sev1','monitorCondition':'Resolved','monitoringService':"
		 "'Platform','configurationItems':['vm-7'],'alertTargetIDs':['/subscriptions/s/vm/vm-7'],'originAlertI"
		 "d':'o-55','firedDateTime':'2026-11-20T10:00:00.1234567Z','description':'disk of vm-7'},'alertContext"
		 "':{'condition':{'allOf':[{'metricName':'Free space'}]}}}}",
	 .expect = "check=disk-low;host=vm-7;service=platform;summary=disk of vm-7;message=Free space;severity=major;sta"
		 "te=clear;dedup_key=azuremonitor/o-55;time=2026-11-20T10:00:00.123456Z"},
	{.profile = "azuremonitor", .n = 1,
	 .body = "{'status':'Activated','context':{'id':'/subscriptions/s/rules/cpu','name':'cpu','description':'cpu o"
		 "f web','timestamp':'2026-11-20T10:00:00Z','resourceName':'web','resourceType':'microsoft.web/sites',"
		 "'condition':{'metricName':'CpuTime'}},'properties':{}}",
	 .expect = "check=cpu;host=web;state=problem;dedup_key=azuremonitor//subscriptions/s/rules/cpu;message=CpuTime"},
	{.profile = "betterstack", .n = 1,
	 .body = "{'data':{'id':'25','type':'incident','attributes':{'name':'shop page','url':'https://shop.example/x'"
		 ",'cause':'Status 500','started_at':'2026-11-20T10:00:00.000Z','acknowledged_at':null,'resolved_at':n"
		 "ull,'status':'Started'}}}",
	 .expect = "check=shop page;host=shop.example;summary=Status 500;state=problem;dedup_key=betterstack/incident/25"
		 ";time=2026-11-20T10:00:00Z"},
	{.profile = "checkly", .n = 1,
	 .body = "{'event':'Login has failed','alert_type':'ALERT_FAILURE','check_name':'Login','group_name':'Shop','c"
		 "heck_id':'c-1','check_error_message':'timeout','started_at':'2026-11-20T10:00:00.000Z'}",
	 .expect = "check=Login;service=shop;summary=Login has failed;message=timeout;state=problem;severity=critical;de"
		 "dup_key=checkly/c-1"},
	{.profile = "checkmk", .n = 1,
	 .body = "{'id':'5','summary':'CheckMK db1/Disk - OK -> CRIT','host':'db1','service':'Filesystem /','output':'"
		 "97 % used','status':'CRITICAL','site':'main','what':'SERVICE','notification_type':'PROBLEM','check_c"
		 "ommand':'check_mk-df','micro_time':'1763632800000000'}",
	 .expect = "check=Filesystem /;host=db1;message=97 % used;state=problem;severity=critical;dedup_key=checkmk/main"
		 "/db1/Filesystem /;time=2025-11-20T10:00:00Z"},
	{.profile = "checkmk", .n = 1,
	 .body = "{'NOTIFY_HOSTNAME':'sw1','NOTIFY_WHAT':'HOST','NOTIFY_NOTIFICATIONTYPE':'ACKNOWLEDGEMENT','NOTIFY_HO"
		 "STSTATE':'DOWN','NOTIFY_HOSTOUTPUT':'no answer','NOTIFY_HOSTCHECKCOMMAND':'check-mk-host-ping','NOTI"
		 "FY_OMD_SITE':'main'}",
	 .expect = "check=check-mk-host-ping;host=sw1;summary=no answer;state=info;severity=critical;dedup_key=checkmk/m"
		 "ain/sw1/"},
	{.profile = "cloudevents", .n = 1,
	 .body = "{'specversion':'1.0','type':'org.example.stock.low','source':'/shop/stock','id':'e-1','time':'2026-1"
		 "1-20T10:00:00Z','subject':'item 5','data':{'severity':'high','status':'down','host':'st1','message':"
		 "'only 2 left'}}",
	 .expect = "check=org.example.stock.low;host=st1;summary=item 5;message=only 2 left;severity=major;state=problem"
		 ";dedup_key=cloudevents//shop/stock#e-1;time=2026-11-20T10:00:00Z"},
	{.profile = "cloudevents", .n = 2,
	 .body = "[{'specversion':'1.0','type':'a','source':'/s','id':'1'},{'specversion':'1.0','type':'b','source':'/"
		 "s','id':'2','data':'plain words'}]",
	 .expect = "check=a;dedup_key=cloudevents//s#1|check=b;message=plain words"},
	{.profile = "cloudevents-binary-http", .n = 1,
	 .headers = "ce-specversion: 1.0\nce-type: org.example.stock%20low\nce-source: /shop\nce-id: e-1\nce-time: 2026-1"
		 "1-20T10:00:00Z\n",
	 .body = "{'host':'st1','message':'only 2 left','status':'ok'}",
	 .expect = "check=org.example.stock low;host=st1;message=only 2 left;state=clear;dedup_key=cloudevents//shop#e-1"
		 ";time=2026-11-20T10:00:00Z"},
	{.profile = "cloudevents-binary-http", .n = 1,
	 .headers = "ce-specversion: 1.0\nce-type: t\nce-source: /shop\nce-id: e-1\n",
	 .body = "only words",
	 .expect = "check=t;message=only words;tags=not-json"},
	{.profile = "cloudwatch", .outer = "sns", .n = 1,
	 .body = "{'Type':'Notification','MessageId':'m1','TopicArn':'arn:t','Subject':'ALARM','Message':'{@AlarmName@"
		 ":@cpu-high@,@AlarmDescription@:@cpu of web@,@NewStateValue@:@ALARM@,@NewStateReason@:@91 > 90@,@Stat"
		 "eChangeTime@:@2026-11-20T10:00:00.000+0000@,@AlarmArn@:@arn:a@,@Trigger@:{@Dimensions@:[{@name@:@Ins"
		 "tanceId@,@value@:@i-5@}]}}','Timestamp':'2026-11-20T10:00:01Z','SignatureVersion':'1'}",
	 .expect = "check=cpu-high;host=i-5;summary=cpu of web;message=91 > 90;state=problem;dedup_key=cloudwatch/arn:a;"
		 "time=2026-11-20T10:00:00Z;body.AlarmName=cpu-high"},
	{.profile = "cloudwatch", .n = 1,
	 .body = "{'version':'0','id':'e','detail-type':'CloudWatch Alarm State Change','source':'aws.cloudwatch','tim"
		 "e':'2026-11-20T10:00:00Z','resources':['arn:b'],'detail':{'alarmName':'q-old','state':{'value':'OK',"
		 "'reason':'fine'},'configuration':{'description':'age of q'}}}",
	 .expect = "check=q-old;summary=age of q;message=fine;state=clear;dedup_key=cloudwatch/arn:b"},
	{.profile = "collectd", .n = 1,
	 .body = "[{'labels':{'alertname':'collectd_df','instance':'db1','severity':'OKAY','service':'collectd'},'anno"
		 "tations':{'summary':'df is fine','DataSource':'value'},'startsAt':'2026-11-20T10:00:00.1Z'}]",
	 .expect = "check=collectd_df;host=db1;summary=df is fine;state=clear;severity=info;time=2026-11-20T10:00:00.1Z"},
	{.profile = "coralogix", .n = 1,
	 .body = "{'uuid':'u','alert_id':'al-1','name':'Many 500','description':'more than 10','alert_action':'resolve"
		 "','alert_url':'https://c.example','fields':[{'key':'severity','value':'CRITICAL'},{'key':'applicatio"
		 "n','value':'Shop'},{'key':'timestampISO','value':'2026-11-20T10:00:00Z'}]}",
	 .expect = "check=Many 500;service=shop;message=more than 10;state=clear;severity=critical;dedup_key=coralogix/a"
		 "l-1;time=2026-11-20T10:00:00Z"},
	{.profile = "dash0", .n = 1,
	 .body = "{'type':'alert.ongoing','data':{'issue':{'id':'i-1','issueIdentifier':'900','start':'2026-11-20T10:0"
		 "0:00Z','status':'degraded','summary':'slow shop','description':'p95 over 2 s','labels':[{'key':'serv"
		 "ice.name','value':{'stringValue':'Shop'}}],'checkrules':[{'id':'r','name':'latency'}]}}}",
	 .expect = "check=latency;service=shop;summary=slow shop;message=p95 over 2 s;state=problem;severity=warning;ded"
		 "up_key=dash0/900"},
	{.profile = "datadog", .n = 1,
	 .body = "{'id':'99','title':'[Recovered] disk of web1','body':'it is fine','event_type':'metric_alert_monitor"
		 "','date':'1763632800000','last_updated':'1763632800000','alert_transition':'Recovered','alert_id':'4"
		 "4','alert_scope':'host:web1,env:live','priority':'P2','tags':'service:shop,env:live'}",
	 .expect = "check=[Recovered] disk of web1;host=web1;service=shop;message=it is fine;state=clear;severity=major;"
		 "dedup_key=datadog/44/host:web1,env:live;time=2025-11-20T10:00:00Z"},
	{.profile = "dynatrace", .n = 1,
	 .body = "{'State':'OPEN','ProblemID':'P-12','PID':'7788','ProblemTitle':'Failure rate increase','ProblemSever"
		 "ity':'ERROR','ProblemDetailsText':'shop fails','ImpactedEntities':[{'type':'HOST','name':'web1'}],'T"
		 "ags':'env:live, service:Shop'}",
	 .expect = "check=Failure rate increase;host=web1;service=shop;message=shop fails;state=problem;severity=major;d"
		 "edup_key=dynatrace/7788"},
	{.profile = "elastic", .n = 1,
	 .body = "{'rule':{'id':'r1','name':'cpu rule','tags':[]},'alert':{'id':'web1','uuid':'uu-1','actionGroup':'re"
		 "covered','actionGroupName':'Recovered'},'context':{'reason':'cpu is 20 %','host':{'name':'web1'}},'d"
		 "ate':'2026-11-20T10:00:00.000Z','kibanaBaseUrl':'https://k'}",
	 .expect = "check=cpu rule;host=web1;summary=cpu is 20 %;state=clear;dedup_key=elastic/uu-1;time=2026-11-20T10:0"
		 "0:00Z"},
	{.profile = "elastic", .n = 1,
	 .body = "{'kibana.alert.rule.name':'port scan','kibana.alert.severity':'high','kibana.alert.reason':'scan fro"
		 "m 192.0.2.7','kibana.alert.uuid':'k-9','kibana.alert.status':'active'}",
	 .expect = "check=port scan;summary=scan from 192.0.2.7;severity=major;state=problem;dedup_key=elastic/k-9"},
	{.profile = "gci", .n = 1,
	 .body = "{'task_definition_name':'write a test','event_type':'claim','task_instance':12,'task_claimed_by':'ev"
		 "e','author':'eve','time':1506475323.25}",
	 .expect = "check=task-claim;summary=write a test;state=info;dedup_key=gci/12;time=2017-09-27T01:22:03.25Z"},
	{.profile = "gcpmonitoring", .n = 1,
	 .body = "{'version':'1.2','incident':{'incident_id':'0.abc','state':'closed','started_at':1763632800,'ended_a"
		 "t':1763632900,'policy_name':'vm policy','condition_name':'cpu over 90','resource_name':'projects/p/i"
		 "nstances/vm-3','summary':'cpu is back','severity':'Warning','documentation':{'subject':'cpu of vm-3'"
		 "}}}",
	 .expect = "check=cpu over 90;host=vm-3;summary=cpu of vm-3;message=cpu is back;state=clear;severity=warning;ded"
		 "up_key=gcpmonitoring/0.abc;time=2025-11-20T10:00:00Z"},
	{.profile = "generic", .n = 1,
	 .body = "{'name':'queue depth','hostname':'MQ-1','level':'fatal','state':'recovered','incident_key':'q-1','te"
		 "xt':'fine\\nagain'}",
	 .expect = "check=queue depth;host=mq-1;severity=critical;state=clear;dedup_key=generic/q-1;message=fine\nagain"},
	{.profile = "gitlab", .n = 1,
	 .headers = "x-gitlab-event: Pipeline Hook\n",
	 .body = "{'object_kind':'pipeline','object_attributes':{'id':9,'iid':3,'ref':'main','status':'failed','create"
		 "d_at':'2026-11-20 10:00:00 UTC'},'project':{'id':1,'path_with_namespace':'ops/shop','web_url':'https"
		 "://g/ops/shop'},'user':{'name':'eve'}}",
	 .expect = "check=pipeline main;service=ops/shop;summary=ops/shop: pipeline main failed;state=problem;severity=m"
		 "ajor;dedup_key=gitlab/ops/shop/pipeline/main;time=2026-11-20T10:00:00Z"},
	{.profile = "gitlab", .n = 1,
	 .body = "{'object_kind':'push','ref':'refs/heads/main','project':{'path_with_namespace':'ops/shop','web_url':"
		 "'https://g'},'commits':[{'title':'faster'}]}",
	 .expect = "check=push;summary=faster;state=info"},
	{.profile = "grafana", .n = 1,
	 .body = "{'receiver':'r','status':'firing','orgId':1,'groupKey':'g','title':'[FIRING:1]','state':'alerting','"
		 "message':'m','commonLabels':{},'alerts':[{'status':'firing','labels':{'alertname':'DatasourceNoData'"
		 ",'rulename':'Disk','instance':'db1','severity':'critical'},'annotations':{'summary':'no data'},'star"
		 "tsAt':'2026-11-20T10:00:00Z','fingerprint':'f1'}]}",
	 .expect = "check=Disk;host=db1;summary=no data;tags=no-data;state=problem;severity=critical;dedup_key=grafana/f"
		 "1"},
	{.profile = "grafana", .n = 1,
	 .body = "{'ruleId':8,'ruleName':'Disk','ruleUrl':'http://g','state':'no_data','title':'[No data] Disk','messa"
		 "ge':'nothing','evalMatches':[],'tags':{'host':'db1'}}",
	 .expect = "check=Disk;host=db1;summary=nothing;state=problem;tags=no-data;dedup_key=grafana/rule/8"},
	{.profile = "graylog", .n = 1,
	 .body = "{'event_definition_id':'d1','event_definition_title':'Login failures','event_definition_description'"
		 ":'too many','event':{'id':'01','timestamp':'2026-11-20T10:00:00.000Z','message':'Login failures: 9',"
		 "'source':'gl','key':'eve','priority':3,'fields':{'source':'gw1'}},'backlog':[]}",
	 .expect = "check=Login failures;host=gw1;summary=Login failures: 9;severity=major;dedup_key=graylog/d1/eve"},
	{.profile = "harbor", .n = 1,
	 .body = "{'type':'SCANNING_FAILED','occur_at':1763632800,'operator':'auto','event_data':{'resources':[{'tag':"
		 "'1.2','resource_url':'reg.example/ops/shop:1.2'}],'repository':{'name':'shop','namespace':'ops','rep"
		 "o_full_name':'ops/shop'}}}",
	 .expect = "check=SCANNING_FAILED;host=reg.example;service=ops/shop;state=problem;severity=major;dedup_key=harbo"
		 "r/scan/reg.example/ops/shop:1.2;time=2025-11-20T10:00:00Z"},
	{.profile = "healthchecks", .n = 1,
	 .body = "{'name':'nightly copy','slug':'nightly-copy','ping_url':'https://hc/1','grace':60,'status':'down','l"
		 "ast_ping':'2026-11-20T10:00:00+00:00','tags':'backup','desc':'copy of db'}",
	 .expect = "check=nightly copy;summary=nightly copy is down;state=problem;severity=major;dedup_key=healthchecks/"
		 "nightly-copy"},
	{.profile = "hetrixtools", .n = 1,
	 .body = "{'monitor_id':'h1','monitor_name':'Shop','monitor_target':'https://shop.example/','monitor_status':'"
		 "offline','timestamp':1763632800,'monitor_errors':{}}",
	 .expect = "check=Shop;host=shop.example;summary=Shop is offline;state=problem;severity=critical;dedup_key=hetri"
		 "xtools/h1"},
	{.profile = "honeybadger", .n = 1,
	 .body = "{'event':'resolved','message':'[Shop] fixed','project':{'id':4,'name':'Shop','token':'secret'},'faul"
		 "t':{'id':31,'klass':'StockError','message':'none left'}}",
	 .expect = "check=StockError;service=shop;summary=[Shop] fixed;message=none left;state=clear;dedup_key=honeybadg"
		 "er/fault/31;body.project.token="},
	{.profile = "icinga", .n = 1,
	 .body = "{'host':{'name':'db1','display_name':'DB 1'},'service':{'name':'disk','display_name':'Disk'},'check_"
		 "result':{'state':'WARNING','exit_status':1,'output':'DISK WARNING 91 %','execution_end':1763632800.5"
		 "},'notification_type':'PROBLEM'}",
	 .expect = "check=Disk;host=db1;summary=DISK WARNING 91 %;state=problem;severity=warning;dedup_key=icinga/db1!di"
		 "sk;time=2025-11-20T10:00:00.5Z"},
	{.profile = "icinga", .n = 1,
	 .type = "application/x-www-form-urlencoded",
	 .body = "host_name=db1&service_name=disk&service_state=OK&service_output=fine&notification_type=RECOVERY",
	 .expect = "check=disk;host=db1;summary=fine;state=clear;dedup_key=icinga/db1!disk"},
	{.profile = "insping", .n = 1,
	 .body = "{'organization_name':'o','webhook_event_id':1,'webhook_type':'AL','webhook_event_data':{'check_state"
		 "_name':'Not Responding','application_name':'Shop','check_id':5,'request_url':'http://shop.example:81"
		 "/','request_start_time':'2026-11-20T10:00:00.1+00:00'}}",
	 .expect = "check=Shop;host=shop.example;state=problem;severity=critical;dedup_key=insping/5;time=2026-11-20T10:"
		 "00:00.1Z"},
	{.profile = "kubernetes-events", .n = 1,
	 .body = "{'kind':'Event','apiVersion':'v1','metadata':{'name':'p.1','namespace':'shop'},'involvedObject':{'ki"
		 "nd':'Pod','namespace':'shop','name':'web-1'},'reason':'BackOff','message':'restarting','source':{'co"
		 "mponent':'kubelet','host':'node-2'},'lastTimestamp':'2026-11-20T10:00:00Z','type':'Warning'}",
	 .expect = "check=BackOff;host=node-2;app=kubelet;message=restarting;summary=Pod shop/web-1: BackOff;state=probl"
		 "em;severity=major;dedup_key=kubernetes-events/shop/Pod/web-1/BackOff"},
	{.profile = "kubernetes-events", .n = 1,
	 .body = "{'verb':'ADDED','event':{'metadata':{'name':'n.1'},'involvedObject':{'kind':'Node','name':'node-9'},"
		 "'reason':'NodeReady','message':'ready','type':'Normal'}}",
	 .expect = "check=NodeReady;host=node-9;state=info"},
	{.profile = "librato", .n = 1,
	 .type = "application/x-www-form-urlencoded",
	 .body = "payload=%7B%22alert%22%3A%7B%22id%22%3A6%2C%22name%22%3A%22cpu%22%2C%22description%22%3A%22too%20hig"
		 "h%22%7D%2C%22trigger_time%22%3A1763632800%2C%22violations%22%3A%7B%22db1%22%3A%5B%5D%7D%7D",
	 .expect = "check=cpu;message=too high;state=problem;dedup_key=librato/6;time=2025-11-20T10:00:00Z"},
	{.profile = "librato", .n = 1,
	 .body = "{'alert':{'id':6,'name':'cpu','version':2},'trigger_time':1763632800,'clear':'normal'}",
	 .expect = "check=cpu;state=clear;dedup_key=librato/6"},
	{.profile = "libre_nms", .n = 1,
	 .body = "{'title':'Port down on sw1','hostname':'SW1','device_id':'7','rule_id':'3','alert_id':'12','rule':'{"
		 "}','name':'Port down','severity':'critical','state':'1','timestamp':'2026-11-20 10:00:00','msg':'por"
		 "t 4','sysName':'sw1'}",
	 .expect = "check=Port down;host=sw1;summary=Port down on sw1;message=port 4;state=problem;severity=critical;ded"
		 "up_key=libre_nms/7/3;time=2026-11-20T10:00:00Z"},
	{.profile = "nagios", .n = 1,
	 .body = "{'HOSTNAME':'web1','SERVICEDESC':'HTTP','SERVICESTATE':'CRITICAL','NOTIFICATIONTYPE':'PROBLEM','SERV"
		 "ICEOUTPUT':'no answer','TIMET':'1763632800'}",
	 .expect = "check=HTTP;host=web1;summary=no answer;state=problem;severity=critical;dedup_key=nagios/web1/HTTP;ti"
		 "me=2025-11-20T10:00:00Z"},
	{.profile = "nagios", .n = 1,
	 .type = "application/x-www-form-urlencoded",
	 .body = "hostname=web1&hoststate=UP&hostoutput=pings&notificationtype=RECOVERY&hostcheckcommand=ping",
	 .expect = "check=ping;host=web1;summary=pings;state=clear"},
	{.profile = "netbox", .n = 1,
	 .body = "{'event':'deleted','timestamp':'2026-11-20T10:00:00.1+00:00','model':'device','username':'eve','requ"
		 "est_id':'r','data':{'id':4,'name':'SW1','display':'SW1'},'snapshots':{}}",
	 .expect = "check=netbox-device;host=sw1;summary=SW1;message=device SW1 deleted by eve;dedup_key=netbox/device/4"
		 ";severity=info"},
	{.profile = "netdata", .n = 1,
	 .body = "{'message':'disk of db1 is full','alarm':'disk_full','info':'96 %','chart':'disk./','context':'disk."
		 "space','space':'s','family':'/','class':'x','severity':'critical','date':'2026-11-20T10:00:00Z','nod"
		 "e':'db1','host':'db1'}",
	 .expect = "check=disk_full;host=db1;summary=disk of db1 is full;message=96 %;state=problem;severity=critical;de"
		 "dup_key=netdata/db1/disk.//disk_full"},
	{.profile = "newrelic", .n = 1,
	 .body = "{'incident_id':51,'condition_name':'Errors','policy_name':'Shop','current_state':'closed','severity'"
		 ":'CRITICAL','details':'errors over 5','timestamp':1763632800123,'targets':[{'name':'web1'}]}",
	 .expect = "check=Errors;host=web1;service=shop;summary=errors over 5;state=clear;severity=critical;dedup_key=ne"
		 "wrelic/51;time=2025-11-20T10:00:00.123Z"},
	{.profile = "newrelic", .n = 1,
	 .body = "{'id':'is-1','issueUrl':'https://n','title':'Errors','priority':'HIGH','impactedEntities':['web1'],'"
		 "totalIncidents':1,'state':'ACTIVATED','createdAt':1763632800123,'alertPolicyNames':['Shop'],'alertCo"
		 "nditionNames':['Errors over 5']}",
	 .expect = "check=Errors over 5;host=web1;state=problem;severity=major;dedup_key=newrelic/is-1"},
	{.profile = "opbeat", .n = 1,
	 .body = "{'id':'x','title':'eve marked E#3 as fixed','summary':'fixed','app':{'name':'Shop','short_name':'sho"
		 "p'},'organization':{'name':'o'},'subject_type':'errorgroup','subject':{'id':'s3'},'action':'fixed','"
		 "occurred':'2017-11-20T10:00:00Z','type_name':'activity'}",
	 .expect = "check=errorgroup-fixed;service=shop;state=clear;dedup_key=opbeat/s3"},
	{.profile = "opsgenie", .n = 1,
	 .body = "{'action':'Close','alert':{'alertId':'a-1','alias':'disk-db1','message':'disk is full','entity':'DB1"
		 "','priority':'P1','description':'97 %','createdAt':1763632800123},'integrationId':'i','integrationNa"
		 "me':'n'}",
	 .expect = "check=disk is full;host=db1;message=97 %;state=clear;severity=critical;dedup_key=opsgenie/disk-db1;t"
		 "ime=2025-11-20T10:00:00.123Z"},
	{.profile = "otlp-logs", .n = 3,
	 .body = "{'resourceLogs':[{'resource':{'attributes':[{'key':'service.name','value':{'stringValue':'Shop'}},{'"
		 "key':'host.name','value':{'stringValue':'WEB1'}}]},'scopeLogs':[{'scope':{'name':'lib'},'logRecords'"
		 ":[{'timeUnixNano':'1763632800123456789','severityNumber':17,'body':{'stringValue':'no stock'}},{'sev"
		 "erityText':'Warn','body':{'stringValue':'low'}}]},{'logRecords':[{'severityNumber':24,'body':{'strin"
		 "gValue':'end'},'eventName':'ev'}]}]}]}",
	 .expect = "host=web1;service=shop;app=lib;summary=no stock;severity=major;time=2025-11-20T10:00:00.123456Z|seve"
		 "rity=warning;message=low|severity=critical;check=ev;host=web1"},
	{.profile = "pagerduty", .n = 1,
	 .body = "{'messages':[{'event':'incident.resolve','log_entries':[],'incident':{'id':'PX','incident_key':'key-"
		 "1','title':'db is down','status':'resolved','urgency':'high','service':{'name':'DB'},'created_at':'2"
		 "026-11-20T10:00:00Z'}}]}",
	 .expect = "check=db is down;service=db;state=clear;severity=major;dedup_key=pagerduty/key-1"},
	{.profile = "pagerduty", .n = 1,
	 .body = "{'event':{'id':'E','event_type':'incident.acknowledged','resource_type':'incident','occurred_at':'20"
		 "26-11-20T10:00:00Z','data':{'id':'Q1','type':'incident','title':'db is down','status':'acknowledged'"
		 ",'urgency':'low','service':{'summary':'DB'},'priority':{'summary':'P1'}}}}",
	 .expect = "check=db is down;service=db;state=info;severity=critical;dedup_key=pagerduty/Q1"},
	{.profile = "pagerduty", .n = 1,
	 .body = "{'routing_key':'secretsecret','event_action':'trigger','dedup_key':'k-7','payload':{'summary':'disk "
		 "is full','source':'DB1:22','severity':'error','component':'postgres','class':'disk','timestamp':'202"
		 "6-11-20T10:00:00.000+0000'}}",
	 .expect = "check=disk;host=db1;service=postgres;summary=disk is full;state=problem;severity=major;dedup_key=pag"
		 "erduty/k-7;time=2026-11-20T10:00:00Z;body.routing_key="},
	{.profile = "papertrail", .n = 1,
	 .body = "{'events':[{'id':1,'received_at':'2026-11-20T03:00:00-07:00','hostname':'WEB1','program':'sshd','sev"
		 "erity':'Error','message':'bad login'}],'saved_search':{'id':42,'name':'logins'},'max_id':'1'}",
	 .expect = "check=logins;host=web1;app=sshd;message=bad login;severity=major;dedup_key=papertrail/42;time=2026-1"
		 "1-20T10:00:00Z;body.saved_search.name=logins"},
	{.profile = "pingdom", .n = 1,
	 .body = "{'check_id':8,'check_name':'shop','check_type':'HTTP','check_params':{'hostname':'shop.example','url"
		 "':'/'},'previous_state':'UP','current_state':'DOWN','importance_level':'LOW','state_changed_timestam"
		 "p':1763632800,'long_description':'HTTP 500','description':'500'}",
	 .expect = "check=shop;host=shop.example;summary=HTTP 500;state=problem;severity=minor;dedup_key=pingdom/8;time="
		 "2025-11-20T10:00:00Z"},
	{.profile = "prometheus", .n = 2,
	 .body = "{'status':'success','data':{'alerts':[{'labels':{'alertname':'Slow','instance':'web1:80','severity':"
		 "'warning'},'annotations':{'summary':'slow'},'state':'firing','activeAt':'2026-11-20T10:00:00Z','valu"
		 "e':'1e+00'},{'labels':{'alertname':'Slow','instance':'web2:80'},'state':'pending','activeAt':'2026-1"
		 "1-20T10:00:00Z'}]}}",
	 .expect = "check=Slow;host=web1;state=problem;severity=warning;summary=slow|state=info;host=web2"},
	{.profile = "prtg", .n = 1,
	 .body = "{'sensorid':'2001','sensor':'Ping','device':'sw1','laststatus':'Down (Acknowledged)','message':'no a"
		 "nswer','datetime':'2026-11-20 10:00:00'}",
	 .expect = "check=Ping;host=sw1;summary=no answer;state=info;severity=critical;dedup_key=prtg/2001"},
	{.profile = "pubsub", .n = 1,
	 .body = "{'message':{'data':'eyJ0aXRsZSI6ICJkaXNrIiwgImhvc3QiOiAiZGIxIiwgInN0YXRlIjogIm9wZW4ifQ==','messageId"
		 "':'55','publishTime':'2026-11-20T10:00:00Z'},'subscription':'projects/p/subscriptions/s'}",
	 .expect = "check=disk;host=db1;state=problem;dedup_key=pubsub/55;time=2026-11-20T10:00:00Z"},
	{.profile = "raygun", .n = 1,
	 .body = "{'event':'error_activity','eventType':'StatusChanged','error':{'url':'https://r/1','status':'Resolve"
		 "d','message':'NullError','description':'eve resolved NullError','activityDate':'2026-11-20T10:00:00Z"
		 "'},'application':{'name':'Shop'}}",
	 .expect = "check=NullError;service=shop;state=clear;dedup_key=raygun/https://r/1"},
	{.profile = "riemann", .n = 1,
	 .body = "[{'host':'db1','service':'disk /','state':'critical','metric':0.97,'description':'97 %','time':17636"
		 "32800,'ttl':60}]",
	 .expect = "check=disk /;host=db1;summary=97 %;state=problem;severity=critical;dedup_key=riemann/db1/disk /;time"
		 "=2025-11-20T10:00:00Z"},
	{.profile = "rollbar", .n = 1,
	 .body = "{'event_name':'resolved_item','data':{'item':{'id':77,'title':'NullError','level':40,'environment':'"
		 "live','last_occurrence':{'server':{'host':'WEB1'},'metadata':{'access_token':'secret'}},'last_occurr"
		 "ence_timestamp':1763632800}}}",
	 .expect = "check=NullError;host=web1;state=clear;severity=major;dedup_key=rollbar/77;time=2025-11-20T10:00:00Z;"
		 "body.data.item.last_occurrence.metadata.access_token="},
	{.profile = "runscope", .n = 1,
	 .body = "{'test_id':'t1','test_name':'Login','test_run_id':'r','bucket_key':'b','bucket_name':'Shop','environ"
		 "ment_name':'live','region_name':'eu','result':'fail','finished_at':1763632800.25,'requests':[{'url':"
		 "'https://shop.example/login'}]}",
	 .expect = "check=Login;host=shop.example;service=shop;state=problem;severity=major;dedup_key=runscope/t1;time=2"
		 "025-11-20T10:00:00.25Z"},
	{.profile = "sentry", .n = 1,
	 .body = "{'action':'triggered','data':{'event':{'event_id':'e','title':'NullError: x','level':'fatal','dateti"
		 "me':'2026-11-20T10:00:00Z','issue_url':'https://sentry.example/api/0/issues/900/','tags':[['level','"
		 "fatal'],['server_name','WEB1']],'metadata':{'value':'x'}}},'installation':{'uuid':'u'},'actor':{'typ"
		 "e':'application'}}",
	 .expect = "check=NullError: x;host=web1;message=x;state=problem;severity=critical;dedup_key=sentry/900"},
	{.profile = "sentry", .n = 1,
	 .body = "{'project':'shop','project_name':'Shop','culprit':'a in b','level':'error','url':'https://s','messag"
		 "e':'NullError','id':'901','event':{'title':'NullError: y','level':'error'}}",
	 .expect = "check=NullError: y;service=shop;severity=major;dedup_key=sentry/901"},
	{.profile = "sentry", .n = 1,
	 .headers = "sentry-hook-resource: issue\n",
	 .body = "{'action':'resolved','data':{'issue':{'id':'902','title':'T','status':'resolved','level':'warning','"
		 "project':{'slug':'shop'}}},'installation':{'uuid':'u'},'actor':{}}",
	 .expect = "check=T;service=shop;state=clear;severity=warning;dedup_key=sentry/902"},
	{.profile = "serverdensity", .n = 1,
	 .body = "{'item_id':'i1','item_name':'DB1','item_type':'device','option':'Disk usage','fixed':false,'configur"
		 "ed_trigger_value':'90 %','alert_id':'a1','created':'2026-11-20T10:00:00Z'}",
	 .expect = "check=Disk usage;host=db1;state=problem;dedup_key=serverdensity/a1"},
	{.profile = "signalfx", .n = 1,
	 .body = "{'severity':'Minor','statusExtended':'manually resolved','detector':'cpu','detectorUrl':'https://sfx"
		 "','incidentId':'D1','rule':'cpu high','originatingMetric':'cpu','messageTitle':'resolved: cpu','mess"
		 "ageBody':'value 3','dimensions':{'host':'WEB1'},'timestamp':'2026-11-20T10:00:00Z'}",
	 .expect = "check=cpu high;host=web1;summary=resolved: cpu;state=clear;severity=minor;dedup_key=signalfx/D1"},
	{.profile = "site24x7", .n = 1,
	 .body = "{'MONITOR_ID':107,'MONITORNAME':'Shop','MONITORURL':'http://shop.example','STATUS':'DOWN','INCIDENT_"
		 "REASON':'refused','INCIDENT_TIME_ISO':'2026-11-20T10:00:00+0000'}",
	 .expect = "check=Shop;host=shop.example;summary=Shop is DOWN;message=refused;state=problem;severity=critical;de"
		 "dup_key=site24x7/107;time=2026-11-20T10:00:00Z"},
	{.profile = "slack", .n = 1,
	 .body = "{'text':'backup failed','username':'cron','channel':'#ops','attachments':[{'color':'danger','title':"
		 "'nightly','text':'exit 3','fallback':'f'}]}",
	 .expect = "check=nightly;message=exit 3;state=problem;severity=major"},
	{.profile = "sns", .n = 1,
	 .body = "{'Type':'Notification','MessageId':'m2','TopicArn':'arn:t','Subject':'hello','Message':'just words',"
		 "'Timestamp':'2026-11-20T10:00:00.000Z'}",
	 .expect = "check=hello;message=just words;dedup_key=sns/m2;time=2026-11-20T10:00:00Z"},
	{.profile = "sns", .n = 1,
	 .body = "{'Type':'Notification','MessageId':'m3','TopicArn':'arn:t','Message':'{@title@:@own@,@host@:@db1@,@s"
		 "tatus@:@ok@}'}",
	 .expect = "check=own;host=db1;state=clear;dedup_key=sns/m3"},
	{.profile = "splunk", .n = 1,
	 .body = "{'result':{'_time':'1763632800','host':'WEB1','_raw':'sshd: bad login','urgency':'high'},'sid':'s1',"
		 "'results_link':'http://s','search_name':'bad logins','owner':'eve','app':'search'}",
	 .expect = "check=bad logins;host=web1;message=sshd: bad login;severity=major;dedup_key=splunk/bad logins;time=2"
		 "025-11-20T10:00:00Z"},
	{.profile = "statuscake", .n = 1,
	 .type = "application/x-www-form-urlencoded",
	 .body = "URL=https%3A%2F%2Fshop.example&Token=secret&Name=Shop&StatusCode=500&Status=Down&Tags=live,x",
	 .expect = "check=Shop;host=shop.example;service=live;state=problem;severity=critical;dedup_key=statuscake/Shop;"
		 "body.Token="},
	{.profile = "statuspage", .n = 1,
	 .body = "{'meta':{'generated_at':'2026-11-20T10:00:00Z'},'page':{'id':'p','status_indicator':'major','status_"
		 "description':'Partial outage'},'incident':{'id':'in1','name':'Slow db','status':'monitoring','impact"
		 "':'major','updated_at':'2026-11-20T10:00:00Z','incident_updates':[{'body':'we look at it'}]}}",
	 .expect = "check=Slow db;message=we look at it;state=problem;severity=major;dedup_key=statuspage/in1"},
	{.profile = "thousandeyes", .n = 1,
	 .body = "{'eventId':'ev','eventType':'ALERT_NOTIFICATION_CLEAR','alert':{'alertId':81,'ruleName':'Loss','test"
		 "Name':'shop page','severity':'MAJOR','ruleExpression':'loss > 5 %','dateStart':'2026-11-20 10:00:00'"
		 ",'agents':[{'agentName':'Berlin'}]}}",
	 .expect = "check=Loss;summary=shop page;message=loss > 5 %;state=clear;severity=major;dedup_key=thousandeyes/81"
		 ";time=2026-11-20T10:00:00Z"},
	{.profile = "updown", .n = 2,
	 .body = "[{'event':'check.down','time':'2026-11-20T10:00:00Z','description':'shop is down','check':{'token':'"
		 "tk','url':'https://shop.example','alias':'Shop'},'downtime':{'error':'500'}},{'event':'check.ssl_inv"
		 "alid','check':{'token':'tk','url':'https://shop.example'},'ssl':{'error':'expired'}}]",
	 .expect = "check=Shop;host=shop.example;state=problem;severity=critical;dedup_key=updown/tk;summary=shop is dow"
		 "n|dedup_key=updown/tk/ssl;check=https://shop.example;message=expired"},
	{.profile = "uptimekuma", .n = 1,
	 .body = "{'heartbeat':{'monitorID':4,'status':0,'msg':'timeout','localDateTime':'2026-11-20 11:00:00','timezo"
		 "neOffset':'+01:00'},'monitor':{'id':4,'name':'Shop','url':'https://shop.example','hostname':null},'m"
		 "sg':'[Shop] down'}",
	 .expect = "check=Shop;host=shop.example;summary=[Shop] down;message=timeout;state=problem;severity=critical;ded"
		 "up_key=uptimekuma/4;time=2026-11-20T10:00:00Z"},
	{.profile = "uptimekuma", .n = 1,
	 .type = "multipart/form-data; boundary=xx",
	 .body = "--xx\r\nContent-Disposition: form-data; name=`data`\r\n\r\n{'heartbeat':{'status':1,'msg':'fine'},'m"
		 "onitor':{'id':4,'name':'Shop','hostname':'DB1'},'msg':'[Shop] up'}\r\n--xx--\r\n",
	 .expect = "check=Shop;host=db1;state=clear;dedup_key=uptimekuma/4"},
	{.profile = "uptimerobot", .n = 1,
	 .type = "application/x-www-form-urlencoded",
	 .body = "monitorID=7&monitorURL=https%3A%2F%2Fshop.example&monitorFriendlyName=Shop&alertType=2&alertTypeFrie"
		 "ndlyName=Up&alertDetails=OK&alertDateTime=1763632800",
	 .expect = "check=Shop;host=shop.example;summary=Shop is Up;state=clear;dedup_key=uptimerobot/7;time=2025-11-20T"
		 "10:00:00Z"},
	{.profile = "wazuh", .n = 1,
	 .body = "{'timestamp':'2026-11-20T10:00:00.000+0000','rule':{'level':12,'description':'root login','id':'5501"
		 "','groups':['pam']},'agent':{'id':'003','name':'WEB1'},'manager':{'name':'wz'},'full_log':'sshd: roo"
		 "t','location':'/var/log/auth.log'}",
	 .expect = "check=root login;host=web1;message=sshd: root;severity=major;dedup_key=wazuh/003/5501;time=2026-11-2"
		 "0T10:00:00Z"},
	{.profile = "zabbix", .n = 1,
	 .body = "{'event_id':'1055','trigger_id':'200','host_name':'DB1','event_name':'disk is full','event_severity'"
		 ":'Disaster','event_value':'0','event_status':'RESOLVED','event_date':'2026.11.20','event_time':'10:0"
		 "0:00','alert_message':'96 %'}",
	 .expect = "check=disk is full;host=db1;message=96 %;state=clear;severity=critical;dedup_key=zabbix/1055;time=20"
		 "26-11-20T10:00:00Z"},
	{.profile = "zabbix", .n = 2,
	 .body = "{'clock':1763632800,'ns':1,'value':1,'eventid':71,'name':'disk is full','severity':4,'hosts':[{'host"
		 "':'DB1','name':'db'}],'groups':['x'],'tags':[]}\n{'clock':1763632900,'ns':1,'value':0,'eventid':72,'"
		 "p_eventid':71,'groups':[],'hosts':[]}\n",
	 .expect = "check=disk is full;host=db1;state=problem;severity=major;dedup_key=zabbix/71;time=2025-11-20T10:00:0"
		 "0Z|state=clear;dedup_key=zabbix/71"},
};
