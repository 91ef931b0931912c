/*
 * The bytes of a fuzzer as values, and what must hold of what the code makes of them.
 */
#ifndef RSTWATCH_FUZZ_INPUT_H
#define RSTWATCH_FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process, as what a sanitizer finds does. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct input {
    const uint8_t *bytes;
    size_t left;
};

/* The next `size` bytes; zeros where there are no more. */
static inline void take(struct input *input, void *to, size_t size)
{
    size_t got = size < input->left ? size : input->left;

    memset(to, 0, size);
    if (got > 0)
        memcpy(to, input->bytes, got);
    input->bytes += got;
    input->left -= got;
}

static inline uint8_t take_byte(struct input *input)
{
    uint8_t byte;

    take(input, &byte, sizeof byte);
    return byte;
}

static inline uint64_t take_u64(struct input *input)
{
    uint64_t number;

    take(input, &number, sizeof number);
    return number;
}

/* What is left, as a text of its own: what reads beyond it is found. To be freed. */
static inline char *take_text(struct input *input)
{
    char *text = malloc(input->left + 1);

    if (!text)
        abort();
    if (input->left > 0)
        memcpy(text, input->bytes, input->left);
    text[input->left] = '\0';
    return text;
}

/* An error is one line that says something. */
static inline int is_one_line(const char *error)
{
    return error[0] != '\0' && strchr(error, '\n') == NULL;
}

#endif
