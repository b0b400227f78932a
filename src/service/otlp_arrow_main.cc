#include <unistd.h>

#include "otlp_arrow/service.h"

int main(int argc, char** argv) { return otlp_arrow::RunCommandLine({argv, argv + argc}, environ); }
