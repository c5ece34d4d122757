#!/bin/sh
# Builds the three programs into folder $1, with the warnings of a strict user: our headers are no system headers here.
set -eu
warnings="-Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast \
  -Wnon-virtual-dtor -Wnull-dereference"
${CXX:-c++} -std=c++20 $warnings ../main.cpp -o "$1/app" $(pkg-config --cflags --libs lockstep)
${CXX:-c++} -std=c++20 $warnings ../real.cpp -o "$1/app_real" $(pkg-config --cflags --libs lockstep-real lockstep-http)
${CXX:-c++} -std=c++20 $warnings ../test.cpp -o "$1/app_test" $(pkg-config --cflags --libs lockstep-testing lockstep-http)
