// Visibility of symbols: everything is hidden but what these macros mark.
#pragma once

#if defined(TANDEM_SHARED)
#define TANDEM_EXPORT __attribute__((visibility("default")))
#else
#define TANDEM_EXPORT
#endif

#define TANDEM_IR_API TANDEM_EXPORT
#define TANDEM_PASSES_API TANDEM_EXPORT
#define TANDEM_RUNTIME_API TANDEM_EXPORT
