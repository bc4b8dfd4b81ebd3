/* Completion of commands and options in a shell, made from the command tables. Main thread. */
#ifndef TRIGATE_CORE_CLI_COMPLETION_H
#define TRIGATE_CORE_CLI_COMPLETION_H

/* Print a script for bash to read: `source <(trigate help --completion bash)`. */
void completion_bash(void);

#endif
