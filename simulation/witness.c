#include "simulation/witness.h"

struct witness *witness;
