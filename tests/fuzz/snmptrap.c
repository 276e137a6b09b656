/* One SNMP datagram: at most one event, and an answer only to an inform, which then is no notification
 * itself. */
#include "decoder_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evt_batch b;
	struct buf reply = {0};
	int64_t id;
	evt_batch_init(&b);
	for (int raw = 0; raw < 2; raw++) {
		struct decode_env env = check_env(raw);
		evt_batch_reset(&b);
		buf_clear(&reply);
		enum decode_result r = snmptrap_decoder.decode(NULL, &env, slice_of(data, size), &b, &reply);
		check_batch(&b, r, env.received);
		BUG_ON(b.n > 1);
		bool inform = snmptrap_inform_id(slice_of(data, size), &id);
		BUG_ON(reply.n > 0 && (!inform || r != DECODE_OK || reply.n > size));
		BUG_ON(reply.n == 0 && inform && r == DECODE_OK);
		if (reply.n == 0)
			continue;
		evt_batch_reset(&b);
		BUG_ON(snmptrap_decoder.decode(NULL, &env, buf_slice(&reply), &b, NULL) != DECODE_REFUSED);
	}
	buf_free(&reply);
	evt_batch_free(&b);
	return 0;
}
