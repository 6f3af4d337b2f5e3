/* SPDX-License-Identifier: MIT */
#include "guest_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 65536 };

static const char *cannot(struct guest_view *view, const char *what, const char *file)
{
    return arena_printf(view->arena, "cannot %s '%s': %s", what, file, strerror(errno));
}

/* --- a directory ---------------------------------------------------------------------------- */

/* What cannot be opened is not there, or not for this user, and so not shown. Where this process is at an
 * end, that is no property of the guest: a problem. */
static const char *not_opened(struct guest_view *view, const char *name)
{
    bool own = errno == ENOMEM || errno == EMFILE || errno == ENFILE;
    return own ? cannot(view, "read", name) : NULL;
}

/* Opens what is a file. A directory may be a guest's own: no pipe holds up who looks at it, and no device is
 * without an end. */
static FILE *open_file(const char *name)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    FILE *file = regular ? fdopen(fd, "rb") : NULL;
    if (fd >= 0 && !file) {
        int why = regular ? errno : EINVAL;
        close(fd);
        errno = why;
    }
    return file;
}

/* A file below the root. */
static const char *take_path(struct guest_view *view, const char *root, const char *path)
{
    const char *name = arena_printf(view->arena, "%s/%s", root, path);
    FILE *file = open_file(name);
    if (!file)
        return not_opened(view, name);
    size_t cap = CHUNK, len = 0;
    char *bytes = xcalloc(cap, 1);
    for (size_t got; (got = fread(bytes + len, 1, cap - len, file)) > 0;) {
        len += got;
        if (len > VIEW_FILE_LIMIT)
            break;
        if (len == cap)
            bytes = xrealloc(bytes, cap *= 2, 1);
    }
    const char *problem = NULL;
    if (len > VIEW_FILE_LIMIT)
        problem =
            arena_printf(view->arena, "'%s' is larger than %d MiB", name, VIEW_FILE_LIMIT >> 20);
    else if (!ferror(file))
        view_take(view, path, bytes, len);
    fclose(file);
    free(bytes);
    return problem;
}

/* The files of every directory below one. */
static const char *take_each(struct guest_view *view, const char *root, const char *path,
                             const char *const *files, size_t count)
{
    const char *name = arena_printf(view->arena, "%s/%s", root, path);
    DIR *stream = opendir(name);
    const char *problem = NULL;
    size_t entries = 0;
    if (!stream)
        return not_opened(view, name);
    for (struct dirent *entry; !problem && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.' || entries++ > VIEW_RANGE_LIMIT)
            continue;
        for (size_t i = 0; i < count && !problem; i++)
            problem =
                take_path(view, root,
                          arena_printf(view->arena, "%s/%s/%s", path, entry->d_name, files[i]));
    }
    closedir(stream);
    return problem;
}

static void end_log(struct log_reader *reader)
{
    log_end(reader);
    free(reader);
}

static struct log_reader *start_log(struct guest_view *view)
{
    struct log_reader *reader = xcalloc(1, sizeof(*reader));
    reader->view = view;
    return reader;
}

static const char *take_log(struct guest_view *view, const char *name)
{
    char bytes[CHUNK];
    FILE *file = open_file(name);
    if (!file)
        return not_opened(view, name);
    struct log_reader *reader = start_log(view);
    for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;)
        log_feed(reader, bytes, got);
    end_log(reader);
    fclose(file);
    return NULL;
}

static const char *take_tree(struct guest_view *view, const char *root)
{
    static const char *const files[] = {"proc/cmdline",
                                        "proc/version",
                                        "proc/iomem",
                                        "sys/firmware/acpi/tables/SRAT",
                                        "sys/firmware/acpi/tables/SLIT",
                                        "sys/firmware/acpi/tables/HMAT",
                                        "sys/firmware/acpi/tables/APIC",
                                        "sys/devices/system/node/online",
                                        "sys/devices/system/node/possible"};
    static const char *const ranges[] = {"start", "end", "type"};
    static const char *const node[] = {"cpulist", "distance", "meminfo"};
    static const char *const dax[] = {"resource", "size", "target_node"};
    const char *problem = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(files) && !problem; i++)
        problem = take_path(view, root, files[i]);
    if (!problem)
        problem = take_each(view, root, "sys/firmware/memmap", ranges, ARRAY_SIZE(ranges));
    if (!problem)
        problem = take_each(view, root, "sys/devices/system/node", node, ARRAY_SIZE(node));
    if (!problem)
        problem = take_each(view, root, "sys/bus/dax/devices", dax, ARRAY_SIZE(dax));
    return problem;
}

/* --- this machine --------------------------------------------------------------------------- */

/* syslog(2) */
enum { READ_ALL = 3, SIZE_BUFFER = 10 };

static void take_kernel_log(struct guest_view *view)
{
    int size = klogctl(SIZE_BUFFER, NULL, 0);
    if (size <= 0)
        return;
    char *bytes = xcalloc((size_t)size, 1);
    int len = klogctl(READ_ALL, bytes, size);
    struct log_reader *reader = start_log(view);
    if (len > 0)
        log_feed(reader, bytes, (size_t)len);
    end_log(reader);
    free(bytes);
}

/* --- a stream ------------------------------------------------------------------------------- */

/* A file whose start was looked at. */
struct stream {
    FILE *file;
    char start[CHUNK];
    size_t at, len; /* what of `start` is still to be read */
};

static size_t stream_read(struct stream *s, char *bytes, size_t len)
{
    if (s->at == s->len)
        return fread(bytes, 1, len, s->file);
    size_t got = len < s->len - s->at ? len : s->len - s->at;
    memcpy(bytes, s->start + s->at, got);
    s->at += got;
    return got < len ? got + fread(bytes + got, 1, len - got, s->file) : got;
}

/* --- a tar ---------------------------------------------------------------------------------- */

/* pax and ustar (POSIX.1-2017, pax, "ustar Interchange Format"). Names that pax or GNU puts into a
 * record of its own belong to files that are not read here. */
enum {
    BLOCK = 512,
    NAME_AT = 0,
    NAME_LEN = 100,
    SIZE_AT = 124,
    SIZE_LEN = 12,
    SUM_AT = 148,
    SUM_LEN = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_LEN = 155
};

static bool is_tar(const char *block)
{
    return memcmp(block + MAGIC_AT, "ustar", 5) == 0;
}

static bool octal(const char *at, size_t len, uint64_t *value)
{
    size_t i = 0;
    *value = 0;
    while (i < len && at[i] == ' ')
        i++;
    size_t digits = i;
    for (; i < len && at[i] >= '0' && at[i] <= '7'; i++)
        *value = *value * 8 + (uint64_t)(at[i] - '0');
    return i > digits && (i == len || at[i] == ' ' || at[i] == '\0');
}

static bool sum_is_right(const char *block)
{
    uint64_t sum, stated;
    sum = SUM_LEN * (uint64_t)' ';
    for (size_t i = 0; i < BLOCK; i++)
        if (i < SUM_AT || i >= SUM_AT + SUM_LEN)
            sum += (unsigned char)block[i];
    return octal(block + SUM_AT, SUM_LEN, &stated) && stated == sum;
}

/* The path of a member below the guest's root, whatever folder of the archive that is; NULL where it is
 * none that is read. */
static const char *path_of(const char *name)
{
    while (*name) {
        if (view_wants(name) || strcmp(name, "dmesg") == 0)
            return name;
        name += strcspn(name, "/");
        name += strspn(name, "/");
    }
    return NULL;
}

/* The contents of a member, padded to blocks: to the log, to `bytes` (`len` of them), or nowhere. */
static bool read_member(struct stream *s, uint64_t len, char *bytes, struct log_reader *reader)
{
    char chunk[CHUNK];
    uint64_t padded = (len + BLOCK - 1) / BLOCK * BLOCK;
    uint64_t at = 0;
    while (at < padded) {
        size_t want = (size_t)u64_min(sizeof(chunk), padded - at);
        if (stream_read(s, chunk, want) != want)
            return false;
        size_t own = (size_t)(at < len ? u64_min(want, len - at) : 0);
        if (reader)
            log_feed(reader, chunk, own);
        else if (bytes)
            memcpy(bytes + at, chunk, own);
        at += want;
    }
    return true;
}

static const char *take_member(struct guest_view *view, struct stream *s, const char *header)
{
    char name[PREFIX_LEN + NAME_LEN + 2] = {0};
    uint64_t len;
    size_t prefix = strnlen(header + PREFIX_AT, PREFIX_LEN);
    snprintf(name, sizeof(name), "%.*s%s%.*s", (int)prefix, header + PREFIX_AT, prefix ? "/" : "",
             NAME_LEN, header + NAME_AT);
    if (!sum_is_right(header) || !octal(header + SIZE_AT, SIZE_LEN, &len))
        return "the tar has a damaged header";
    bool regular = header[TYPE_AT] == '0' || header[TYPE_AT] == '\0';
    const char *path = regular ? path_of(name) : NULL;
    bool log = path && strcmp(path, "dmesg") == 0;
    if (path && !log && len > VIEW_FILE_LIMIT)
        return arena_printf(view->arena, "'%s' is larger than %d MiB", path, VIEW_FILE_LIMIT >> 20);
    struct log_reader *reader = log ? start_log(view) : NULL;
    char *bytes = path && !log ? xcalloc(len + 1, 1) : NULL;
    /* What a header of another kind says of its size, it need not have. */
    bool has_data = regular || strchr("xgLKS", header[TYPE_AT]);
    bool whole = !has_data || read_member(s, len, bytes, reader);
    if (reader)
        end_log(reader);
    if (whole && bytes)
        view_take(view, path, bytes, len);
    free(bytes);
    return whole ? NULL : arena_printf(view->arena, "the tar ends in the middle of '%.200s'", name);
}

static const char *take_tar(struct guest_view *view, struct stream *s)
{
    static const char zeros[BLOCK];
    char block[BLOCK];
    for (;;) {
        if (stream_read(s, block, BLOCK) != BLOCK)
            return "the tar ends before its end";
        if (memcmp(block, zeros, BLOCK) == 0)
            return NULL;
        if (!is_tar(block))
            return "the tar has a damaged header";
        const char *problem = take_member(view, s, block);
        if (problem)
            return problem;
    }
}

/* Whether a tar begins within the start of a stream; firmware writes to every serial port, before the
 * guest does. */
static bool find_tar(struct stream *s)
{
    for (size_t at = 0; at + BLOCK <= s->len; at++)
        if (is_tar(s->start + at) && sum_is_right(s->start + at)) {
            s->at = at;
            return true;
        }
    return false;
}

static const char *take_stream(struct guest_view *view, FILE *file, const char *name)
{
    struct stream *s = xcalloc(1, sizeof(*s));
    const char *problem = NULL;
    s->file = file;
    s->len = fread(s->start, 1, sizeof(s->start), file);
    if ((s->len >= BLOCK && is_tar(s->start)) || find_tar(s)) {
        problem = take_tar(view, s);
    } else if (s->len > 2 && memcmp(s->start, "\x1f\x8b", 2) == 0) {
        problem = arena_printf(view->arena,
                               "'%s' is compressed: write 'gunzip <FILE |' before, and "
                               "'--guest -'",
                               name);
    } else {
        struct log_reader *reader = start_log(view);
        for (size_t got = s->len; got > 0; got = fread(s->start, 1, sizeof(s->start), file))
            log_feed(reader, s->start, got);
        end_log(reader);
    }
    free(s);
    return ferror(file) ? cannot(view, "read", name) : problem;
}

const char *guest_source_read(struct guest_view *view, const char *source)
{
    struct stat st;
    const char *problem;
    if (strcmp(source, "live") == 0) {
        problem = take_tree(view, "");
        take_kernel_log(view);
    } else if (strcmp(source, "-") == 0) {
        problem = take_stream(view, stdin, "standard input");
    } else if (stat(source, &st) != 0) {
        return cannot(view, "read", source);
    } else if (S_ISDIR(st.st_mode)) {
        problem = take_tree(view, source);
        if (!problem)
            problem = take_log(view, arena_printf(view->arena, "%s/dmesg", source));
    } else {
        FILE *file = fopen(source, "rb");
        if (!file)
            return cannot(view, "read", source);
        problem = take_stream(view, file, source);
        fclose(file);
    }
    view_complete(view);
    if (!problem && view_is_empty(view))
        problem = arena_printf(view->arena,
                               "'%s' shows nothing of a Linux guest: neither lines of a boot "
                               "log nor files of /sys and /proc",
                               source);
    return problem;
}
