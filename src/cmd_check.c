/* SPDX-License-Identifier: MIT */
/* Judges many files, some at a time, and reports in the order of the arguments. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "diag_render.h"
#include "report.h"

/* --- which files ---------------------------------------------------------------------------- */

struct path {
    char *name;
    bool found; /* in a directory, which holds other YAML too */
};

struct paths {
    struct path *items;
    size_t count;
    size_t cap;
    bool failed;
};

static void add_path(struct paths *paths, char *name, bool found)
{
    if (paths->count == paths->cap) {
        paths->cap = paths->cap ? 2 * paths->cap : 64;
        paths->items = xrealloc(paths->items, paths->cap, sizeof(*paths->items));
    }
    struct path *path = &paths->items[paths->count++];
    path->name = name;
    path->found = found;
}

static char *join(const char *directory, const char *name)
{
    size_t len = strlen(directory);
    const char *slash = len && directory[len - 1] == '/' ? "" : "/";
    size_t size = len + strlen(slash) + strlen(name) + 1;
    char *path = xcalloc(size, 1);
    snprintf(path, size, "%s%s%s", directory, slash, name);
    return path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The entries of a directory that do not begin with a dot, with the directory before them, by name.
 * The caller frees them. NULL with errno set where it cannot be read. */
static char **entries_of(const char *directory, size_t *count)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return NULL;
    char **names = xcalloc(1, sizeof(*names));
    size_t cap = 1;
    *count = 0;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(stream)); errno = 0) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count == cap) {
            cap *= 2;
            names = xrealloc(names, cap, sizeof(*names));
        }
        names[(*count)++] = join(directory, entry->d_name);
    }
    int problem = errno;
    closedir(stream);
    if (*count)
        qsort(names, *count, sizeof(*names), by_text);
    if (!problem)
        return names;
    while (*count)
        free(names[--*count]);
    free(names);
    errno = problem;
    return NULL;
}

/* The YAML files below a directory; links are not followed, and the longest name of a file bounds the
 * depth. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void add_directory(struct paths *paths, const char *directory)
{
    size_t count;
    char **names = entries_of(directory, &count);
    if (!names) {
        cmd_complain("read", directory);
        paths->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        bool known = lstat(names[i], &st) == 0;
        if (!known) {
            cmd_complain("read", names[i]);
            paths->failed = true;
        }
        if (known && S_ISREG(st.st_mode) &&
            (ends_with(names[i], ".yaml") || ends_with(names[i], ".yml"))) {
            add_path(paths, names[i], true);
            continue;
        }
        if (known && S_ISDIR(st.st_mode))
            add_directory(paths, names[i]);
        free(names[i]);
    }
    free(names);
}

static void add_argument(struct paths *paths, const char *argument)
{
    struct stat st;
    if (strcmp(argument, "-") != 0 && stat(argument, &st) == 0 && S_ISDIR(st.st_mode)) {
        add_directory(paths, argument);
        return;
    }
    size_t size = strlen(argument) + 1;
    char *name = xcalloc(size, 1);
    memcpy(name, argument, size);
    add_path(paths, name, false);
}

/* Whether a file says of itself, in a line of its own, that it is a topology. One that cannot be read may
 * be one. */
static bool is_topology(const char *path)
{
    struct source source;
    bool found = false;
    if (!source_load(&source, path))
        found = true;
    else
        for (size_t i = 1; i <= source.line_count && !found; i++) {
            size_t len;
            found = strncmp(source_line(&source, i, &len), "spmtopo:", 8) == 0;
        }
    source_free(&source);
    return found;
}

/* --- judging -------------------------------------------------------------------------------- */

struct result {
    struct strbuf text; /* its part of the report */
    struct report_summary counts;
    int status;
    bool done;
};

/* Files are taken in order; a result is held until those before it are written, and no more than
 * AHEAD of them, so that memory does not grow with the number of files. */
enum { AHEAD = 64 };

struct work {
    const struct options *options;
    const struct report_format *format; /* NULL: text */
    const struct paths *paths;
    struct result results[AHEAD];
    size_t next; /* to take */
    size_t written;
    int output; /* the status of what was written of the report */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void judge(struct result *result, const struct work *work, const struct path *path)
{
    const struct options *options = work->options;
    if (path->found && !ends_with(path->name, ".spmtopo.yaml") &&
        !ends_with(path->name, ".spmtopo.yml") && !is_topology(path->name))
        return;
    enum severity least = options->quiet ? SEVERITY_ERROR : SEVERITY_NOTE;
    struct compilation c;
    result->status = cmd_compile(&c, options, path->name);
    if (result->status != STATUS_FAILURE) {
        result->counts = (struct report_summary){
            .files = 1,
            .errors = diag_count(&c.diags, SEVERITY_ERROR),
            .warnings = diag_count(&c.diags, SEVERITY_WARNING),
            .notes = diag_count(&c.diags, SEVERITY_NOTE),
        };
        if (work->format)
            work->format->findings(&result->text, &c.diags, &c.source, least);
        else
            diag_render_text(&result->text, &c.diags, &c.source, least, cmd_color(options));
    }
    compile_free(&c);
}

static void *worker(void *argument)
{
    struct work *work = argument;
    pthread_mutex_lock(&work->lock);
    while (work->next < work->paths->count) {
        if (work->next >= work->written + AHEAD) {
            pthread_cond_wait(&work->changed, &work->lock);
            continue;
        }
        size_t index = work->next++;
        pthread_mutex_unlock(&work->lock);
        struct result result = {0};
        judge(&result, work, &work->paths->items[index]);
        pthread_mutex_lock(&work->lock);
        result.done = true;
        work->results[index % AHEAD] = result;
        pthread_cond_broadcast(&work->changed);
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* Writes a part of the report. Nothing comes after a part that could not be written. */
static void pass_on(struct work *work, struct strbuf *part)
{
    if (work->output == STATUS_OK)
        work->output = cmd_write(work->options, part);
    strbuf_free(part);
}

/* The results in order. Text goes to standard error at once, a report to `out`. */
static int collect(struct work *work, struct strbuf *out, struct report_summary *sum)
{
    int status = STATUS_OK;
    bool some = false;
    for (size_t i = 0; i < work->paths->count; i++) {
        struct result *slot = &work->results[i % AHEAD];
        pthread_mutex_lock(&work->lock);
        while (!slot->done)
            pthread_cond_wait(&work->changed, &work->lock);
        struct result result = *slot;
        *slot = (struct result){0};
        work->written = i + 1;
        pthread_cond_broadcast(&work->changed);
        pthread_mutex_unlock(&work->lock);
        status = result.status > status ? result.status : status;
        sum->files += result.counts.files;
        sum->errors += result.counts.errors;
        sum->warnings += result.counts.warnings;
        sum->notes += result.counts.notes;
        if (result.text.len && !work->format) {
            fwrite(result.text.data, 1, result.text.len, stderr);
        } else if (result.text.len) {
            if (some)
                strbuf_adds(out, work->format->separator);
            strbuf_add(out, result.text.data, result.text.len);
            some = true;
        }
        strbuf_free(&result.text);
        /* A long report on standard output need not be whole in memory; a short one is whole or not
         * there. */
        if (!work->options->output && out->len > MIB)
            pass_on(work, out);
    }
    return status;
}

static const struct report_format *format_of(enum format format)
{
    return format == FORMAT_JSON     ? &report_json
           : format == FORMAT_SARIF  ? &report_sarif
           : format == FORMAT_GITHUB ? &report_github
                                     : NULL;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int run(struct work *work)
{
    struct strbuf out = {0};
    struct report_summary sum = {0};
    pthread_t threads[JOB_LIMIT];
    size_t started = 0;
    if (work->format)
        work->format->start(&out);
    int failure = 0;
    while (!failure && started < work->options->jobs) {
        failure = pthread_create(&threads[started], NULL, worker, work);
        started += !failure;
    }
    if (!started) {
        fprintf(stderr, "spmtopo: cannot start a thread: %s\n", strerror(failure));
        strbuf_free(&out);
        return STATUS_FAILURE;
    }
    int status = collect(work, &out, &sum);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (work->format)
        work->format->end(&out, &sum);
    else if (!work->options->quiet)
        fprintf(stderr, "%zu file%s: %zu error%s, %zu warning%s, %zu note%s\n", sum.files,
                plural(sum.files), sum.errors, plural(sum.errors), sum.warnings,
                plural(sum.warnings), sum.notes, plural(sum.notes));
    if (!sum.files && status == STATUS_OK) {
        fputs(
            "spmtopo: there is no topology among the files (in a directory: a YAML file with a line "
            "that begins with 'spmtopo:')\n",
            stderr);
        status = STATUS_FAILURE;
    }
    if (work->format)
        pass_on(work, &out);
    return work->output > status ? work->output : status;
}

int cmd_check(const struct options *options)
{
    struct paths paths = {0};
    if (options->output && !format_of(options->format)) {
        fputs(
            "spmtopo: 'check' writes text to standard error; '-o' goes with --format json, sarif or "
            "github\n",
            stderr);
        return STATUS_FAILURE;
    }
    for (size_t i = 0; i < options->file_count; i++)
        add_argument(&paths, options->files[i]);
    struct work *work = xcalloc(1, sizeof(*work));
    work->options = options;
    work->format = format_of(options->format);
    work->paths = &paths;
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->changed, NULL);
    int status = run(work);
    pthread_cond_destroy(&work->changed);
    pthread_mutex_destroy(&work->lock);
    free(work);
    for (size_t i = 0; i < paths.count; i++)
        free(paths.items[i].name);
    free(paths.items);
    return paths.failed ? STATUS_FAILURE : status;
}
