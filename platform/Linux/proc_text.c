#include "platform/Linux/proc_text.h"

#include <stdio.h>
#include <string.h>

/* A part of the text: from `at` up to, but without, `end`. */
struct span {
    const char *at, *end;
};

struct text {
    struct span rest; /* not yet read */
    size_t line;      /* number of the line read last, from 1 */
    bool cut_off;     /* that line has no newline */
    char *error;
    size_t error_size;
};

static size_t span_length(struct span span)
{
    return (size_t)(span.end - span.at);
}

bool proc_field_init(struct proc_field *field, const char *source)
{
    const char *colon = strchr(source, ':');

    if (!colon || colon == source || !colon[1])
        return false;
    *field = (struct proc_field){.source = source,
                                 .prefix_length = (size_t)(colon - source),
                                 .name_length = strlen(colon + 1)};
    return true;
}

static bool fail(const struct text *text, const char *what)
{
    snprintf(text->error, text->error_size, "line %zu: %s", text->line, what);
    return false;
}

static bool fail_field(const struct text *text, const struct proc_field *field)
{
    snprintf(text->error, text->error_size, "line %zu: %s: a number from 0 to 2^64-1 expected",
             text->line, field->source);
    return false;
}

/* Takes the next line off the text and splits it at its first colon. */
static bool next_line(struct text *text, struct span *prefix, struct span *words)
{
    const char *start = text->rest.at;
    const char *end = memchr(start, '\n', span_length(text->rest));

    text->line++;
    text->cut_off = !end;
    if (!end)
        end = text->rest.end;
    text->rest.at = text->cut_off ? end : end + 1;

    const char *colon = memchr(start, ':', (size_t)(end - start));

    if (!colon)
        return fail(text, text->cut_off ? "cut off" : "\"<prefix>:\" expected");
    *prefix = (struct span){start, colon};
    *words = (struct span){colon + 1, end};
    return true;
}

/* Takes the next word off a line; false at its end. */
static inline bool next_word(struct span *words, struct span *word)
{
    const char *at = words->at;

    while (at < words->end && *at == ' ')
        at++;
    word->at = at;
    while (at < words->end && *at != ' ')
        at++;
    word->end = at;
    words->at = at;
    return word->at < word->end;
}

static bool span_is(struct span span, const char *string, size_t length)
{
    return span_length(span) == length && !memcmp(span.at, string, length);
}

static bool parse_number(struct span word, uint64_t *number)
{
    uint64_t sum = 0;

    for (const char *at = word.at; at < word.end; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
            return false;
    }
    *number = sum;
    return true;
}

/* The fields of one prefix stand side by side in mib/counters.def, mostly: the
   first and the last of them bound what each name is compared with. */
struct range {
    struct proc_field *first, *end;
};

static struct range fields_of(struct span prefix, struct proc_field *fields, size_t count)
{
    struct range range = {NULL, NULL};

    for (struct proc_field *field = fields; field < fields + count; field++) {
        if (!span_is(prefix, field->source, field->prefix_length))
            continue;
        if (!range.first)
            range.first = field;
        range.end = field + 1;
    }
    return range;
}

static bool field_is(const struct proc_field *field, struct span prefix, struct span name)
{
    return span_is(name, field->source + field->prefix_length + 1, field->name_length) &&
           span_is(prefix, field->source, field->prefix_length);
}

static bool parse_pair(const struct text *text, struct range range, struct span prefix,
                       struct span names, struct span values)
{
    struct span name, value;

    while (next_word(&names, &name) && next_word(&values, &value)) {
        for (struct proc_field *field = range.first; field < range.end; field++) {
            if (!field_is(field, prefix, name))
                continue;
            if (!parse_number(value, &field->value))
                return fail_field(text, field);
            field->found = true;
        }
    }
    return true;
}

bool proc_text_parse(const char *text, size_t length, struct proc_field *fields, size_t count,
                     char *error, size_t error_size)
{
    struct text state = {.rest = {text, text + length}, .error = error, .error_size = error_size};

    if (!length) {
        snprintf(error, error_size, "empty");
        return false;
    }
    while (state.rest.at < state.rest.end) {
        struct span prefix, names, value_prefix, values;

        if (!next_line(&state, &prefix, &names))
            return false;
        if (state.rest.at == state.rest.end)
            return fail(&state, state.cut_off ? "cut off" : "a header without its value line");
        if (!next_line(&state, &value_prefix, &values))
            return false;
        if (!span_is(value_prefix, prefix.at, span_length(prefix))) {
            state.line--;
            return fail(&state, "a header without its value line");
        }

        struct range range = fields_of(prefix, fields, count);

        if (!range.first)
            continue;
        if (state.cut_off)
            return fail(&state, "cut off");
        if (!parse_pair(&state, range, prefix, names, values))
            return false;
    }
    return true;
}
