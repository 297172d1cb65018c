/* main.c -- argv to the command table, status to the exit code. */
#include "command.h"

int main(int argc, char **argv)
{
    return tr_cli_main(argc, argv);
}
