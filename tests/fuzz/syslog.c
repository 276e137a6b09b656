/* One syslog message: there is an event unless there is nothing, and it can be written as a record. */
#include "decoder_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evt_batch b;
	evt_batch_init(&b);
	for (int raw = 0; raw < 2; raw++) {
		struct decode_env env = check_env(raw);
		evt_batch_reset(&b);
		enum decode_result r = syslog_decoder.decode(NULL, &env, slice_of(data, size), &b, NULL);
		check_batch(&b, r, env.received);
		bool nothing = true;
		for (size_t i = 0; i < size; i++)
			nothing = nothing && (data[i] == 0 || data[i] == '\n' || data[i] == '\r');
		BUG_ON(!nothing && r != DECODE_OK);
		BUG_ON(r == DECODE_OK && b.n != 1);
	}
	evt_batch_free(&b);
	return 0;
}
