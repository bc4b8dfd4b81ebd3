/* What texts of recorded frames lack, made up: whoever recorded them had asked in another way, or before. Pure; main
 * thread. */
#ifndef TRIGATE_CORE_CLI_REPLAY_MADE_UP_H
#define TRIGATE_CORE_CLI_REPLAY_MADE_UP_H

#include "core/capture/played.h"

extern const struct played_help replay_made_up;

#endif
