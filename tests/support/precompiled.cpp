// tests/support/precompiled.cpp - what the precompiled headers of the tests belong to (tests/CMakeLists.txt).
// SPDX-License-Identifier: MIT
