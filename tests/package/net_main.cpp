// tests/package/net_main.cpp - a user of the net component: its headers are there, it links.
// SPDX-License-Identifier: MIT
#include <taskscope/net/io.hpp>
#include <taskscope/net/signals.hpp>
#include <taskscope/net/use_task.hpp>

int main() { return 0; }
