// <taskscope/version.hpp> - the version, written once; CMake reads it from here.
// SPDX-License-Identifier: MIT
#pragma once

#define TASKSCOPE_VERSION_MAJOR 0
#define TASKSCOPE_VERSION_MINOR 1
#define TASKSCOPE_VERSION_PATCH 0
