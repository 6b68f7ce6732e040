/* threads.c - which test programs begin threads: those in which races are worth
 * looking for. Preloaded (run.sh), it makes the file THREADS_FILE when the first
 * is begun. Where a program runs on one core, as here, it does there, too. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *ctx)
{
    const char *file = getenv("THREADS_FILE");
    const int fd = file ? open(file, O_CREAT | O_WRONLY, 0666) : -1;
    void *next = dlsym(RTLD_NEXT, "pthread_create");
    create_fn *real;
    if (fd >= 0) close(fd);
    // A pointer to an object is one to a function (POSIX).
    *(void **)&real = next;
    return real(thread, attributes, run, ctx);
}
