// Zabbix webhook script: posts the parameters of the media type to carillon. It is in media_carillon.yaml too, which
// Zabbix imports; this copy is for reading and for running outside (Zabbix gives `value`, HttpRequest and Zabbix.log).
try {
	var params = JSON.parse(value), url = params.carillon_url, token = params.carillon_token, request = new HttpRequest(), answer;

	delete params.carillon_url;
	delete params.carillon_token;
	request.addHeader('Content-Type: application/json');
	request.addHeader('Authorization: Bearer ' + token);
	answer = request.post(url, JSON.stringify(params));
	if (request.getStatus() < 200 || request.getStatus() >= 300) {
		throw 'carillon answered ' + request.getStatus() + ': ' + answer;
	}
	return 'OK';
} catch (error) {
	Zabbix.log(3, '[carillon] ' + error);
	throw 'carillon: ' + error;
}
