/* SANITIZED: built with AddressSanitizer, whose runtime maps terabytes and makes system calls of
   its own. */
#ifndef RSTWATCH_LINUX_SANITIZED_H
#define RSTWATCH_LINUX_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* gcc */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1 /* clang */
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
