// What a shared library shows to its users; everything else in it is hidden.
#pragma once

#if defined(__GNUC__)
#define OTLP_ARROW_EXPORT __attribute__((visibility("default")))
#else
#define OTLP_ARROW_EXPORT
#endif
