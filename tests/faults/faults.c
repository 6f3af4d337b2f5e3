/* SPDX-License-Identifier: MIT */
/* Runs a command again and again, and makes one thing fail in each run:
 *   faults alloc|write|signal [--all] [--quota N] [--input FILE] -- PROGRAM ARGUMENT...
 * alloc: an allocation (fail.so, which FAULTS_LIBRARY names); write: a system call that writes, or that
 * opens, closes, names or alters a file that is written; signal: none fails, but SIGTERM comes with such
 * a call. '{}' in an argument is a folder of its own, FILE the standard input.
 * A run that failed must end with status 2, say so, print nothing, and leave nothing in the folder but
 * what was there. One that did without must have the very outcome of the run in which nothing failed.
 * One that a signal ended must leave its file as it was or whole.
 * --all makes every allocation fail; else the first of each place in the program, and some between until
 * there are N. Prints one line of figures, and before it a line for each bad run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

enum { SECONDS = 60, COMPLAINTS = 5 };

#define OLD "what was there before\n"

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
    exit(3);
}

/* --- one run ---------------------------------------------------------------------------------- */

struct bytes {
    char *data;
    size_t len;
};

struct outcome {
    int status; /* -1: a signal, -2: too long */
    struct bytes out, err, file;
    bool has_file, litter;
};

/* What is to fail. */
struct fault {
    uint64_t at; /* 0: nothing */
    bool sticky;
    int error; /* of a system call */
};

/* What a system call was, that failed. */
struct call {
    int number;
    int fd;
    uint64_t count; /* of such calls in the run */
};

static char *folder; /* '{}' */
static int out_fd, err_fd, state_fd;
static struct fault_state *state;
static char **command;
static bool by_allocation, by_signal;
static const char *input = "/dev/null";

static struct bytes contents(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        die("fstat");
    struct bytes b = {.data = calloc((size_t)st.st_size + 1, 1), .len = (size_t)st.st_size};
    if (!b.data || pread(fd, b.data, b.len, 0) != (ssize_t)b.len)
        die("read");
    return b;
}

static char *in_folder(const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        die("asprintf");
    return path;
}

/* An empty folder, or one that holds "out". */
static void prepare_folder(bool old)
{
    DIR *stream = opendir(folder);
    if (!stream)
        die(folder);
    for (struct dirent *entry; (entry = readdir(stream));) {
        char *path = in_folder(entry->d_name);
        if (entry->d_name[0] != '.' && unlink(path) != 0)
            die(path);
        free(path);
    }
    closedir(stream);
    if (!old)
        return;
    char *path = in_folder("out");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || write(fd, OLD, strlen(OLD)) != (ssize_t)strlen(OLD))
        die(path);
    close(fd);
    free(path);
}

static void look_into_folder(struct outcome *o)
{
    DIR *stream = opendir(folder);
    if (!stream)
        die(folder);
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (strcmp(entry->d_name, "out") != 0) {
            o->litter = true;
            continue;
        }
        char *path = in_folder("out");
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            die(path);
        o->has_file = true;
        o->file = contents(fd);
        close(fd);
        free(path);
    }
    closedir(stream);
}

/* The calls that write, to a descriptor that the parent answers; -1 where the kernel has no such. */
static int listen_to_writes(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#define LISTED(n)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (n), 0, 1),                                                \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
        LISTED(__NR_write),
        LISTED(__NR_writev),
        LISTED(__NR_pwrite64),
        LISTED(__NR_close),
        LISTED(__NR_fsync),
        LISTED(__NR_fdatasync),
        LISTED(__NR_ftruncate),
        LISTED(__NR_fchmod),
        LISTED(__NR_renameat),
        LISTED(__NR_renameat2),
#ifdef __NR_rename
        LISTED(__NR_rename),
#endif
        /* open for writing */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(*filter), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

static void send_fd(int socket, int fd)
{
    char byte = fd >= 0 ? 1 : 0, space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = space;
        message.msg_controllen = sizeof(space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    if (sendmsg(socket, &message, 0) != 1)
        _exit(126);
}

static int receive_fd(int socket)
{
    char byte = 0, space[CMSG_SPACE(sizeof(int))];
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = space,
                             .msg_controllen = sizeof(space)};
    int fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && byte && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

static _Noreturn void child(int socket)
{
    char **arguments = command;
    for (char **a = arguments; *a; a++) {
        char *hole = strstr(*a, "{}");
        char *filled;
        if (!hole)
            continue;
        if (asprintf(&filled, "%.*s%s%s", (int)(hole - *a), *a, folder, hole + 2) < 0)
            _exit(126);
        *a = filled;
    }
    int in = open(input, O_RDONLY | O_CLOEXEC);
    if (in < 0 || dup2(in, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0)
        _exit(126);
    if (by_allocation) {
        char number[16];
        snprintf(number, sizeof(number), "%d", state_fd);
        setenv("FAULTS_STATE", number, 1);
        setenv("LD_PRELOAD", getenv("FAULTS_LIBRARY"), 1);
    } else {
        int listener = listen_to_writes();
        send_fd(socket, listener);
        if (listener < 0)
            _exit(126);
    }
    execv(arguments[0], arguments);
    _exit(127);
}

/* Answers the child's calls until it has ended. */
static bool answer(int listener, pid_t pid, const struct fault *fault, struct call *call)
{
    bool opened = false; /* a file is open for writing */
    for (;;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        int ready = poll(&p, 1, SECONDS * 1000);
        if (ready <= 0)
            return false;
        if (!(p.revents & POLLIN))
            return true;
        struct seccomp_notif request = {0};
        struct seccomp_notif_resp response = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
            continue;
        response.id = request.id;
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        opened = opened || request.data.nr == __NR_openat;
        if (request.data.nr != __NR_close || opened) {
            call->count++;
            if (call->count == fault->at) {
                if (by_signal)
                    kill(pid, SIGTERM);
                response.flags = by_signal ? response.flags : 0;
                response.error = by_signal ? 0 : -fault->error;
                call->number = request.data.nr;
                call->fd = (int)request.data.args[0];
            }
        }
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

/* The status, -1 for a signal, -2 where it took too long. */
static int wait_for(pid_t pid, bool in_time)
{
    int status;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    in_time = in_time && poll(&p, 1, SECONDS * 1000) == 1;
    close(pidfd);
    if (!in_time)
        kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    return !in_time ? -2 : WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct outcome run(const struct fault *fault, bool old, struct call *call)
{
    struct outcome o = {0};
    int pair[2];
    prepare_folder(old);
    if (ftruncate(out_fd, 0) != 0 || ftruncate(err_fd, 0) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        die("prepare");
    lseek(out_fd, 0, SEEK_SET);
    lseek(err_fd, 0, SEEK_SET);
    state->fail_at = fault->at;
    state->sticky = fault->sticky;
    state->count = state->failed = 0;
    *call = (struct call){.number = -1, .fd = -1};
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        child(pair[1]);
    close(pair[1]);
    bool in_time = true;
    if (!by_allocation) {
        int listener = receive_fd(pair[0]);
        if (listener < 0) {
            puts("no seccomp notifications");
            exit(77);
        }
        in_time = answer(listener, pid, fault, call);
        close(listener);
    }
    close(pair[0]);
    o.status = wait_for(pid, in_time);
    o.out = contents(out_fd);
    o.err = contents(err_fd);
    look_into_folder(&o);
    return o;
}

static void forget(struct outcome *o)
{
    free(o->out.data);
    free(o->err.data);
    free(o->file.data);
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool same(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* Whether the folder is as it was before the run. */
static bool untouched(const struct outcome *o, bool old)
{
    return o->has_file == old && (!old || same(&o->file, &(struct bytes){OLD, strlen(OLD)})) &&
           !o->litter;
}

static bool as_without(const struct outcome *o, const struct outcome *without, bool old)
{
    return o->status == without->status && same(&o->out, &without->out) &&
           same(&o->err, &without->err) &&
           (without->has_file ? o->has_file && same(&o->file, &without->file) && !o->litter
                              : untouched(o, old));
}

/* What is wrong with a failed run; NULL: nothing. */
static const char *wrong(const struct outcome *o, const struct outcome *without, bool old,
                         const struct call *call)
{
    bool stdout_failed = call->number == __NR_write && call->fd == STDOUT_FILENO;
    bool stderr_failed = call->number == __NR_write && call->fd == STDERR_FILENO;
    if (o->status == -1)
        return "a signal";
    if (o->status == -2)
        return "not done in time";
    if (o->status == 0)
        return "status 0, and not as it should be";
    if (o->status != 2)
        return "a status that is not 2";
    if (!stderr_failed && !strstr(o->err.data, "spmtopo"))
        return "no message";
    if (by_allocation && !strstr(o->err.data, "out of memory") &&
        !strstr(o->err.data, strerror(ENOMEM)) && !strstr(o->err.data, "cannot start a thread"))
        return "the message is not of memory";
    /* `check` judges the other files, and its report is of those. */
    if (strcmp(command[1], "check") == 0 && strstr(o->err.data, "spmtopo: cannot read '"))
        return o->litter ? "a file is left behind" : NULL;
    /* What reached standard output before it failed cannot be taken back. */
    if (stdout_failed ? o->out.len >= without->out.len ||
                            memcmp(o->out.data, without->out.data, o->out.len) != 0
                      : o->out.len > 0)
        return "standard output is not empty";
    if (!untouched(o, old))
        return o->litter ? "a file is left behind" : "the output file is not as it was";
    return NULL;
}

/* What is wrong with a run that a signal was to end; NULL: nothing. */
static const char *wrong_after_signal(const struct outcome *o, const struct outcome *without,
                                      bool old)
{
    if (o->status != -1)
        return "the signal did not end it";
    if (o->out.len > without->out.len || memcmp(o->out.data, without->out.data, o->out.len) != 0)
        return "standard output is not the beginning of what it should be";
    if (o->litter)
        return "a file is left behind";
    if (!untouched(o, old) && !(without->has_file && o->has_file && same(&o->file, &without->file)))
        return "the output file is neither as it was nor whole";
    return NULL;
}

static const char *call_name(int number)
{
    return number == __NR_write      ? "write"
           : number == __NR_close    ? "close"
           : number == __NR_fchmod   ? "fchmod"
           : number == __NR_openat   ? "open"
           : number == __NR_writev   ? "writev"
           : number == __NR_renameat ? "rename"
#ifdef __NR_rename
           : number == __NR_rename ? "rename"
#endif
                                   : "a call";
}

struct tally {
    uint64_t runs, survived, bad;
};

/* A run with a fault; false where there was nothing to fail any more. */
static bool try_fault(const struct fault *fault, const struct outcome *without, struct tally *t)
{
    struct call call;
    bool old = fault->at % 2 == 0;
    struct outcome o = run(fault, old, &call);
    bool failed = by_allocation ? state->failed > 0 : call.number >= 0;
    if (failed) {
        t->runs++;
        bool survived = as_without(&o, without, old);
        const char *problem = by_signal  ? wrong_after_signal(&o, without, old)
                              : survived ? NULL
                                         : wrong(&o, without, old, &call);
        t->survived += survived;
        if (problem && t->bad++ < COMPLAINTS)
            printf("%s %llu%s%s%s: %s: status %d, %zu bytes on standard output, says: %.300s\n",
                   by_allocation ? "allocation" : call_name(call.number),
                   (unsigned long long)fault->at, fault->sticky ? " and on" : "",
                   by_allocation ? "" : ", ",
                   by_allocation ? ""
                   : by_signal   ? strsignal(SIGTERM)
                                 : strerror(fault->error),
                   problem, o.status, o.out.len, o.err.data);
    }
    forget(&o);
    return failed;
}

/* --- which -------------------------------------------------------------------------------------- */

struct spot {
    uint64_t place, number;
};

static int by_place(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;
    return a->place != b->place     ? (a->place < b->place ? -1 : 1)
           : a->number != b->number ? (a->number < b->number ? -1 : 1)
                                    : 0;
}

static void allocations(const struct outcome *without, uint64_t count, bool all, uint64_t quota)
{
    struct tally t = {0};
    uint64_t known = count < FAULT_PLACES ? count : FAULT_PLACES, places = 0, chosen = 0;
    struct spot *spots = calloc(known + 1, sizeof(*spots));
    bool *chosen_one = calloc(count + 1, 1);
    if (!spots || !chosen_one)
        die("calloc");
    for (uint64_t i = 0; i < known; i++)
        spots[i] = (struct spot){state->places[i], i};
    qsort(spots, known, sizeof(*spots), by_place);
    for (uint64_t i = 0; i < known; i++) {
        bool first = i == 0 || spots[i - 1].place != spots[i].place;
        places += first;
        chosen_one[spots[i].number] = first;
        chosen += first;
    }
    uint64_t stride = all || count <= quota ? 1 : chosen < quota ? count / (quota - chosen) + 1 : 0;
    for (uint64_t n = 0; n < count; n++) {
        if (!chosen_one[n] && !(stride && n % stride == 0))
            continue;
        try_fault(&(struct fault){.at = n + 1, .sticky = n % 2}, without, &t);
        if (all)
            try_fault(&(struct fault){.at = n + 1, .sticky = !(n % 2)}, without, &t);
    }
    printf("%llu allocations in %llu places, %llu made to fail", (unsigned long long)count,
           (unsigned long long)places, (unsigned long long)t.runs);
    if (stride > 1)
        printf(" (stride %llu)", (unsigned long long)stride);
    printf(", %llu done without, %llu bad\n", (unsigned long long)t.survived,
           (unsigned long long)t.bad);
    exit(t.bad ? 1 : 0);
}

static void writes(const struct outcome *without)
{
    static const int errors[] = {ENOSPC, EIO, EINTR};
    size_t kinds = by_signal ? 1 : sizeof(errors) / sizeof(*errors);
    struct tally t = {0};
    uint64_t calls = 0;
    for (size_t e = 0; e < kinds; e++) {
        uint64_t n = 1;
        while (try_fault(&(struct fault){.at = n, .error = errors[e]}, without, &t))
            n++;
        calls = n - 1;
    }
    printf("%llu calls that write, %llu runs with %s, %llu done without, %llu bad\n",
           (unsigned long long)calls, (unsigned long long)t.runs,
           by_signal ? "a signal" : "one failed", (unsigned long long)t.survived,
           (unsigned long long)t.bad);
    exit(t.bad ? 1 : 0);
}

static void remove_folder(void)
{
    prepare_folder(false);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    bool all = false;
    uint64_t quota = 0;
    int at = 2;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], "--all") == 0)
            all = true;
        else if (strcmp(argv[at], "--quota") == 0 && at + 1 < argc)
            quota = strtoull(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--input") == 0 && at + 1 < argc)
            input = argv[++at];
    }
    by_allocation = argc > 1 && strcmp(argv[1], "alloc") == 0;
    by_signal = argc > 1 && strcmp(argv[1], "signal") == 0;
    if (at + 1 >= argc || (!by_allocation && !by_signal && strcmp(argv[1], "write") != 0) ||
        (by_allocation && !getenv("FAULTS_LIBRARY"))) {
        fputs("usage: faults alloc|write|signal [--all] [--quota N] [--input FILE] -- PROGRAM "
              "ARGUMENT...\n",
              stderr);
        return 3;
    }
    command = argv + at + 1;
    const char *tmp = getenv("TMPDIR");
    if (asprintf(&folder, "%s/spmtopo-faults.XXXXXX", tmp ? tmp : "/tmp") < 0 || !mkdtemp(folder))
        die("mkdtemp");
    atexit(remove_folder);
    out_fd = memfd_create("out", MFD_CLOEXEC);
    err_fd = memfd_create("err", MFD_CLOEXEC);
    state_fd = memfd_create("state", 0);
    if (out_fd < 0 || err_fd < 0 || state_fd < 0 || ftruncate(state_fd, sizeof(*state)) != 0)
        die("memfd_create");
    state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, state_fd, 0);
    if (state == MAP_FAILED)
        die("mmap");
    struct call call;
    struct outcome without = run(&(struct fault){0}, false, &call);
    if (without.status < 0 || without.status > 2) {
        printf("status %d where nothing fails: %s\n", without.status, without.err.data);
        return 1;
    }
    if (by_allocation && !state->count) {
        puts("no allocation is seen");
        return 77;
    }
    if (by_allocation)
        allocations(&without, state->count, all, quota);
    writes(&without);
}
