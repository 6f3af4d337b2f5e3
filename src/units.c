/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a message repeats of a user's text is cut, so that a hostile scalar stays a short line. */
#define SHOWN "%.40s%s"
#define SHOW(text) (text), strlen(text) > 40 ? "…" : ""
#define LEADING_ZERO "'" SHOWN "' has a leading zero"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB}, {"TiB", TIB}, {"PiB", PIB},
    {"K", KIB},   {"M", MIB},   {"G", GIB},   {"T", TIB},   {"P", PIB},
};

static const struct unit latency_units[] = {{"ps", 1}, {"ns", 1000}, {"us", 1000000}};

static const struct unit bandwidth_units[] = {
    {"MiB/s", MIB},
    {"GiB/s", GIB},
    {"TiB/s", TIB},
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct unit_error *error,
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    error->help[0] = '\0';
    return false;
}

__attribute__((format(printf, 2, 3))) static void help(struct unit_error *error, const char *format,
                                                       ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->help, sizeof(error->help), format, args);
    va_end(args);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool has_leading_zero(const char *number)
{
    return number[0] == '0' && is_digit(number[1]);
}

static const char *without_zeros(const char *number)
{
    while (has_leading_zero(number))
        number++;
    return number;
}

/* Reads digits at *text; false when the value does not fit. Moves *text past the digits. */
static bool digits(const char **text, uint64_t *value)
{
    const char *p = *text;
    uint64_t v = 0;
    bool fits = true;
    for (; is_digit(*p); p++) {
        fits &= !__builtin_mul_overflow(v, UINT64_C(10), &v);
        fits &= !__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v);
    }
    *value = v;
    *text = p;
    return fits;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

enum quantity_status {
    QUANTITY_OK,
    QUANTITY_NO_NUMBER,
    QUANTITY_LEADING_ZERO,
    QUANTITY_NO_UNIT,
    QUANTITY_BAD_UNIT,
    QUANTITY_FRACTION,
    QUANTITY_TOO_LARGE
};

/* 0.DIGITS times a factor, exactly; false where that is no whole number. Works through the decimal
 * digits from the last to the first, as on paper. */
static bool times_fraction(const char *digits_at, size_t count, uint64_t factor, uint64_t *product)
{
    unsigned __int128 carry = 0;
    bool whole = true;
    for (size_t i = count; i-- > 0;) {
        carry += (unsigned __int128)(unsigned)(digits_at[i] - '0') * factor;
        whole = whole && carry % 10 == 0;
        carry /= 10;
    }
    *product = (uint64_t)carry;
    return whole;
}

/* NUMBER[.FRACTION]UNIT; exact, never a floating-point number. *unit_at is where the unit begins. */
static enum quantity_status quantity(const char *text, const struct unit *units, size_t count,
                                     uint64_t limit, uint64_t *value, const char **unit_at)
{
    const char *p = text;
    const char *fraction = text;
    size_t places = 0;
    uint64_t whole;
    if (!is_digit(*p))
        return QUANTITY_NO_NUMBER;
    if (has_leading_zero(p))
        return QUANTITY_LEADING_ZERO;
    bool fits = digits(&p, &whole);
    if (*p == '.') {
        fraction = ++p;
        while (is_digit(*p))
            p++;
        places = (size_t)(p - fraction);
        if (!places)
            return QUANTITY_NO_NUMBER;
    }
    *unit_at = p;
    if (*p == '\0')
        return QUANTITY_NO_UNIT;
    const struct unit *unit = find_unit(units, count, p);
    if (!unit)
        return QUANTITY_BAD_UNIT;
    uint64_t rest;
    if (!times_fraction(fraction, places, unit->factor, &rest))
        return QUANTITY_FRACTION;
    unsigned __int128 total = (unsigned __int128)whole * unit->factor + rest;
    if (!fits || total >= limit)
        return QUANTITY_TOO_LARGE;
    *value = (uint64_t)total;
    return QUANTITY_OK;
}

bool size_parse(const char *text, uint64_t *bytes, struct unit_error *error)
{
    const char *unit = text;
    switch (quantity(text, size_units, ARRAY_SIZE(size_units), ADDRESS_LIMIT, bytes, &unit)) {
    case QUANTITY_OK:
        return true;
    case QUANTITY_NO_NUMBER:
        refuse(error, "'" SHOWN "' is not a size", SHOW(text));
        help(error, "write a number and a binary unit, such as 512MiB or 1.5GiB");
        return false;
    case QUANTITY_LEADING_ZERO:
        refuse(error, LEADING_ZERO, SHOW(text));
        help(error, "write " SHOWN, SHOW(without_zeros(text)));
        return false;
    case QUANTITY_NO_UNIT:
        refuse(error, "size needs a unit: of a bare number QEMU reads MiB, libvirt KiB");
        help(error, "write " SHOWN "MiB or " SHOWN "GiB", SHOW(text), SHOW(text));
        return false;
    case QUANTITY_FRACTION:
        refuse(error, "'" SHOWN "' is not a whole number of bytes", SHOW(text));
        help(error, "use the next smaller unit, such as 1536MiB for 1.5GiB");
        return false;
    case QUANTITY_TOO_LARGE:
        refuse(error, "'" SHOWN "' is larger than the 4 PiB an x86-64 machine can address",
               SHOW(text));
        help(error, "write a size below 4PiB");
        return false;
    case QUANTITY_BAD_UNIT:
        break;
    }
    int number = (int)(unit - text > 20 ? 20 : unit - text);
    static const char *const decimal[] = {"KB", "MB", "GB", "TB", "PB", "kB"};
    for (size_t i = 0; i < ARRAY_SIZE(decimal); i++)
        if (strcmp(unit, decimal[i]) == 0) {
            refuse(error,
                   "'%s' is not a unit here: QEMU has none such, and libvirt reads it as a "
                   "power of ten",
                   unit);
            help(error, "write %.*s%ciB", number, text, unit[0] == 'k' ? 'K' : unit[0]);
            return false;
        }
    if (text[0] == '0' && text[1] == 'x') {
        refuse(error, "'" SHOWN "' is not a size", SHOW(text));
        help(error, "write it as a decimal number with a binary unit, such as 512MiB or 1.5GiB");
        return false;
    }
    refuse(error, "'" SHOWN "' is not a unit of size", SHOW(unit));
    const char *letter = strchr("kmgtp", *unit);
    if (*unit == ' ')
        help(error, "write the unit without a blank before it: %.*sMiB, %.*sGiB", number, text,
             number, text);
    else if (letter)
        help(error, "write %.*s%ciB", number, text, *letter - 'a' + 'A');
    else
        help(error,
             "the units are KiB, MiB, GiB, TiB, PiB, or K, M, G, T, P with the same meaning");
    return false;
}

bool address_parse(const char *text, uint64_t *bytes, struct unit_error *error)
{
    if (text[0] != '0' || text[1] != 'x') {
        if (strcmp(text, "0") == 0) {
            *bytes = 0;
            return true;
        }
        if (size_parse(text, bytes, error))
            return true;
        refuse(error, "'" SHOWN "' is not an address", SHOW(text));
        help(error, "write 0x and hexadecimal digits, or a size from zero such as 4GiB");
        return false;
    }
    const char *p = text + 2;
    uint64_t value = 0;
    bool fits = true;
    for (; *p; p++) {
        const char *digit = strchr("0123456789abcdefABCDEF", *p);
        if (!digit)
            break;
        unsigned d = is_digit(*p) ? (unsigned)(*p - '0') : ((unsigned)*p | 32u) - 'a' + 10;
        fits = fits && value >> 60 == 0;
        value = value << 4 | d;
    }
    if (*p || p == text + 2) {
        refuse(error, "'" SHOWN "' is not an address", SHOW(text));
        help(error, "write 0x and hexadecimal digits, or a size from zero such as 4GiB");
        return false;
    }
    if (!fits || value >= ADDRESS_LIMIT) {
        refuse(error, "'" SHOWN "' is beyond the 52 address bits of x86-64", SHOW(text));
        help(error, "write an address below 0x%" PRIx64, ADDRESS_LIMIT);
        return false;
    }
    *bytes = value;
    return true;
}

bool number_parse(const char *text, uint64_t *value, struct unit_error *error)
{
    const char *p = text;
    bool fits = is_digit(*p) && digits(&p, value);
    if (p == text || *p) {
        refuse(error, "'" SHOWN "' is not a whole number", SHOW(text));
        help(error, "write decimal digits");
        return false;
    }
    if (has_leading_zero(text)) {
        refuse(error, LEADING_ZERO ", which some YAML readers take as octal", SHOW(text));
        help(error, "write " SHOWN, SHOW(without_zeros(text)));
        return false;
    }
    if (!fits) {
        refuse(error, "'" SHOWN "' is too large", SHOW(text));
        help(error, "write a smaller number");
        return false;
    }
    return true;
}

/* The unit that begins as this one does: of '10GB/s', '10GiB' and '10 GiB/s' it is GiB/s. */
static const char *nearest_unit(const char *text, const struct unit *units, size_t count)
{
    text += strspn(text, " ");
    for (size_t i = 0; *text && i < count; i++)
        if (units[i].name[0] == *text)
            return units[i].name;
    return NULL;
}

/* Latency and bandwidth differ only in their units and words. */
static bool rate_parse(const char *text, const struct unit *units, size_t count, const char *what,
                       const char *example, uint64_t *value, struct unit_error *error)
{
    const char *unit = text;
    const char *meant = NULL;
    /* QEMU holds both in 64 bits; 2^60 leaves room for arithmetic. */
    switch (quantity(text, units, count, UINT64_C(1) << 60, value, &unit)) {
    case QUANTITY_OK:
        return true;
    case QUANTITY_FRACTION:
        refuse(error, "'" SHOWN "' is not a whole number of the smallest unit", SHOW(text));
        break;
    case QUANTITY_TOO_LARGE:
        refuse(error, "'" SHOWN "' is too large for a %s", SHOW(text), what);
        break;
    case QUANTITY_LEADING_ZERO:
        refuse(error, LEADING_ZERO, SHOW(text));
        help(error, "write " SHOWN, SHOW(without_zeros(text)));
        return false;
    case QUANTITY_NO_UNIT:
        refuse(error, "a %s needs a unit", what);
        break;
    case QUANTITY_BAD_UNIT:
        meant = nearest_unit(unit, units, count);
        /* fall through */
    case QUANTITY_NO_NUMBER:
        refuse(error, "'" SHOWN "' is not a %s", SHOW(text), what);
        break;
    }
    if (meant)
        help(error, "write %.*s%s", (int)(unit - text > 20 ? 20 : unit - text), text, meant);
    else
        help(error, "%s", example);
    return false;
}

bool latency_parse(const char *text, uint64_t *picoseconds, struct unit_error *error)
{
    return rate_parse(text, latency_units, ARRAY_SIZE(latency_units), "latency",
                      "write a number with ps, ns or us, such as 100ns", picoseconds, error);
}

bool bandwidth_parse(const char *text, uint64_t *bytes_per_second, struct unit_error *error)
{
    return rate_parse(text, bandwidth_units, ARRAY_SIZE(bandwidth_units), "bandwidth",
                      "write a number with MiB/s, GiB/s or TiB/s, such as 200GiB/s",
                      bytes_per_second, error);
}

bool id_range_next(const char **text, struct id_range *range, struct unit_error *error)
{
    const char *p = *text;
    uint64_t ends[2];
    for (int i = 0; i < 2; i++) {
        if (!is_digit(*p) || has_leading_zero(p) || !digits(&p, &ends[i]) || ends[i] > UINT32_MAX) {
            refuse(error, "'" SHOWN "' is not a list of ids", SHOW(*text));
            if (p[0] == '0' && is_digit(p[1]))
                help(error, "write numbers without a leading zero, such as 0-3,8,10-11");
            else
                help(error, "write numbers and ranges with commas between, such as 0-3,8,10-11");
            return false;
        }
        if (i == 0 && *p == '-')
            p++;
        else if (i == 0) {
            ends[1] = ends[0];
            break;
        }
    }
    if (*p == ',' && p[1])
        p++;
    else if (*p) {
        refuse(error, "'" SHOWN "' is not a list of ids", SHOW(*text));
        help(error, "write numbers and ranges with commas between and no blanks, such as "
                    "0-3,8,10-11");
        return false;
    }
    if (ends[0] > ends[1]) {
        refuse(error, "the range %" PRIu64 "-%" PRIu64 " runs backwards", ends[0], ends[1]);
        help(error, "write %" PRIu64 "-%" PRIu64, ends[1], ends[0]);
        return false;
    }
    *text = p;
    *range = (struct id_range){.first = (uint32_t)ends[0], .last = (uint32_t)ends[1]};
    return true;
}

unsigned version_parts(const char *text, unsigned parts[3])
{
    const char *p = text;
    for (unsigned count = 0; count < 3; p++) {
        unsigned value = 0;
        if (!is_digit(*p) || has_leading_zero(p))
            return 0;
        for (; is_digit(*p) && value < 100; p++)
            value = value * 10 + (unsigned)(*p - '0');
        parts[count++] = value;
        if (*p == '\0')
            return count;
        if (*p != '.')
            return 0;
    }
    return 0;
}

struct version_text version_without_zeros(const char *text)
{
    struct version_text plain = {0};
    unsigned parts[3];
    size_t len = 0;
    bool zeros = false;
    const char *p = text;
    for (; *p && len + 1 < sizeof(plain.text); plain.text[len++] = *p++) {
        const char *number = p == text || p[-1] == '.' ? without_zeros(p) : p;
        zeros |= number != p;
        p = number;
    }
    return zeros && !*p && version_parts(plain.text, parts) ? plain : (struct version_text){0};
}
