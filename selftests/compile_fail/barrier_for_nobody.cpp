// expect: say how many tasks meet: barrier start(3)
#include <lockstep/sync/barrier.hpp>

lockstep::barrier wrong;  // wrong
