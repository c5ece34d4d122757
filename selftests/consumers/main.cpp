// A production program: it links lockstep::lockstep only.
#include <lockstep/lockstep.hpp>

#include <iostream>

int main() { std::cout << "lockstep " << lockstep::version() << '\n'; }
