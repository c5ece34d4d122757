#!/bin/sh
# Builds the two programs into folder $1.
set -eu
${CXX:-c++} -std=c++20 ../main.cpp -o "$1/app" $(pkg-config --cflags --libs lockstep)
${CXX:-c++} -std=c++20 ../test.cpp -o "$1/app_test" $(pkg-config --cflags --libs lockstep-testing)
