// progress-agent: the program. What it can do is the table in cli/command.cc.
#include "agent/cli/command.h"

int main(int argc, char** argv) { return agent::cli::run({argv + 1, argv + argc}); }
