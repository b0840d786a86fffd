// Archive: both directions of what storage keeps: `packer(values...)` writes them,
// `unpacker(values...)` reads them. What a version adds to a record comes last in it and may be
// missing when it is read, so that a database of an earlier version is understood.
#pragma once

#include "agent/progress/fields.h"
#include "agent/progress/packer.h"
#include "agent/progress/unpacker.h"
