/* An adapter of AITER that computes on the host, built several times, each with one thing wrong. */
#include <tandem/runtime/hip/aiter_adapter.h>

#include <math.h>

#ifndef FAKE_ABI
#define FAKE_ABI TANDEM_AITER_ABI_VERSION
#endif
#ifndef FAKE_VERSION
#define FAKE_VERSION "0.1.16"
#endif
#ifndef FAKE_ARCHS
#define FAKE_ARCHS "gfx942;gfx950"
#endif

uint32_t tandem_aiter_abi_version(void) {
  return FAKE_ABI;
}
const char* tandem_aiter_provider_version(void) {
  return FAKE_VERSION;
}
const char* tandem_aiter_archs(void) {
  return FAKE_ARCHS;
}
const char* tandem_aiter_last_error(void) {
  return "the device is on fire";
}

#ifndef FAKE_NO_NORM
/* Writes how it was called, for f16 bits: q_out[0] = rows, kv_out[0] = kv_columns. */
int tandem_aiter_dual_rms_norm(const TandemAiterDualRmsNorm* call) {
  if (call->size != sizeof *call || call->q_eps < 0)
    return 3;
  ((uint16_t*)call->q_out)[0] = (uint16_t)call->rows;
  ((uint16_t*)call->kv_out)[0] = (uint16_t)call->kv_columns;
  return 0;
}
#endif
