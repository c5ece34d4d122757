// Everything a coroutine test needs.
#pragma once

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/clog.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/testing/actions.hpp>
#include <lockstep/testing/co_assert.hpp>
#include <lockstep/testing/co_replay.hpp>
#include <lockstep/testing/co_test.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/options.hpp>
#include <lockstep/testing/quiesce_check.hpp>
#include <lockstep/testing/under_test.hpp>
