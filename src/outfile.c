/* SPDX-License-Identifier: MIT */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool close_keeping_errno(int fd, bool ok)
{
    int saved = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = saved;
    return ok;
}

static bool write_special(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    return close_keeping_errno(fd, write_all(fd, data, len));
}

/* Writes beside the target and renames. No signal ends the program in between: what is written beside
 * would stay. */
static bool replace(const char *target, char *temporary, mode_t mode, const void *data, size_t len)
{
    sigset_t every;
    sigset_t before;
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, &before);
    int fd = mkstemp(temporary);
    bool ok = fd >= 0;
    if (ok) {
        ok = write_all(fd, data, len) && fchmod(fd, mode) == 0;
        ok = close_keeping_errno(fd, ok) && rename(temporary, target) == 0;
        if (!ok) {
            int saved = errno;
            unlink(temporary);
            errno = saved;
        }
    }
    int saved = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return ok;
}

bool outfile_write(const char *path, const void *data, size_t len)
{
    if (!path || strcmp(path, "-") == 0)
        return fflush(stdout) == 0 && write_all(STDOUT_FILENO, data, len);

    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = 0666 & ~mask;
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return write_special(path, data, len);
        mode = st.st_mode & 07777;
    }

    /* A symbolic link stays one: what it points at is replaced, and must be there. */
    char *real = realpath(path, NULL);
    int reason = errno;
    if (!real && lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        errno = reason;
        return false;
    }
    const char *target = real ? real : path;
    size_t size = strlen(target) + sizeof(".XXXXXX");
    char *temporary = xcalloc(size, 1);
    snprintf(temporary, size, "%s.XXXXXX", target);
    bool ok = replace(target, temporary, mode, data, len);
    int saved = errno;
    free(temporary);
    free(real);
    errno = saved;
    return ok;
}
