#include "core/outside.h"

const struct outside outside_system = {.disk = &disk_system, .workers = &workers_threads, .control = true};
