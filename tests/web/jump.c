/* jump.c - a clock that jumps, to be preloaded: the wall's clock is as many
 * seconds ahead as the eight bytes of the file JUMP_FILE say, at any moment.
 * The monotonic clock, and what the kernel does with deadlines, stay true: who
 * waits by the wall's clock waits wrongly, as when the clock is really set. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t ahead_s(void)
{
    static _Atomic(volatile int64_t *) shared;
    volatile int64_t *at = atomic_load(&shared);
    if (at) return *at;
    const char *path = getenv("JUMP_FILE");
    const int fd = path ? open(path, O_RDONLY) : -1;
    if (fd < 0) return 0;
    void *map = mmap(NULL, sizeof *at, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return 0;
    atomic_store(&shared, map);
    return *(volatile int64_t *)map;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*_Atomic real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const int status = real(clock, t);
    if (!status && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        t->tv_sec += ahead_s();
    return status;
}

time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
