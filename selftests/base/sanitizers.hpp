// What a test is compiled with, where sanitizers do otherwise what it is about: LOCKSTEP_UNDER_ASAN,
// LOCKSTEP_UNDER_TSAN, and LOCKSTEP_UNDER_SANITIZER for either.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define LOCKSTEP_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKSTEP_UNDER_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define LOCKSTEP_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOCKSTEP_UNDER_TSAN 1
#endif
#endif

#if defined(LOCKSTEP_UNDER_ASAN) || defined(LOCKSTEP_UNDER_TSAN)
#define LOCKSTEP_UNDER_SANITIZER 1
#endif
