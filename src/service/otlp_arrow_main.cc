#include <unistd.h>

#include "service/commands.h"

int main(int argc, char** argv) { return otlp_arrow::RunOtlpArrow(argc, argv, environ); }
