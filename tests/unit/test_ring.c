/* The ring between sampler and agent: every sample whole and in order, or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subagent/ring.h"

static struct sample numbered(uint64_t sequence)
{
    struct sample sample = {.sequence = sequence, .time_ns = (int64_t)sequence * 100};

    for (int id = 0; id < COUNTER_COUNT; id++)
        sample.counter[id] = sequence;
    return sample;
}

static void write_up_to(struct ring *ring, uint64_t from, uint64_t to)
{
    for (uint64_t sequence = from; sequence <= to; sequence++) {
        struct sample sample = numbered(sequence);

        ring_write(ring, &sample);
    }
}

static bool is_whole(const struct sample *sample)
{
    struct sample wanted = numbered(sample->sequence);

    return memcmp(sample->counter, wanted.counter, sizeof wanted.counter) == 0 &&
           sample->time_ns == wanted.time_ns;
}

static void test_empty(void **state)
{
    struct ring *ring = ring_create(7);
    struct sample sample;
    uint64_t next = 1;

    (void)state;
    assert_non_null(ring);
    assert_int_equal(ring_instance(ring), 7);
    assert_false(ring_read(ring, &next, &sample));
    assert_int_equal(next, 1);
}

static void test_reads_all_in_order(void **state)
{
    struct ring *ring = ring_create(1);
    struct sample sample;
    uint64_t next = 1;

    (void)state;
    write_up_to(ring, 1, RING_SAMPLES - 1);
    for (uint64_t sequence = 1; sequence < RING_SAMPLES; sequence++) {
        assert_true(ring_read(ring, &next, &sample));
        assert_int_equal(sample.sequence, sequence);
        assert_true(is_whole(&sample));
    }
    assert_false(ring_read(ring, &next, &sample));
}

/* A reader that was away starts with the oldest that cannot be in the writer's hands. */
static void test_late_reader(void **state)
{
    struct ring *ring = ring_create(1);
    struct sample sample;
    uint64_t next = 1, read = 0;

    (void)state;
    write_up_to(ring, 1, 3 * RING_SAMPLES);
    assert_true(ring_read(ring, &next, &sample));
    assert_int_equal(sample.sequence, 2 * RING_SAMPLES + 2);
    for (read = 1; ring_read(ring, &next, &sample); read++)
        assert_true(is_whole(&sample));
    assert_int_equal(read, RING_SAMPLES - 1);
}

static void write_for_ever(struct ring *ring)
{
    for (uint64_t sequence = 1;; sequence++)
        write_up_to(ring, sequence, sequence);
}

/* The writer goes round thousands of times faster than it ever will. */
static void test_no_torn_sample(void **state)
{
    struct ring *ring = ring_create(1);
    struct sample sample;
    uint64_t next = 1, last = 0;
    pid_t writer = fork();

    (void)state;
    if (writer == 0)
        write_for_ever(ring);
    for (int read = 0; read < 300000;) {
        if (!ring_read(ring, &next, &sample))
            continue;
        if (!is_whole(&sample) || sample.sequence <= last)
            break;
        last = sample.sequence;
        read++;
        if (read == 300000)
            last = UINT64_MAX;
    }
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    assert_true(last == UINT64_MAX);
}

/* The agent cannot write into what the sampler says. */
static void test_protected(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct ring *ring = ring_create(1);

        signal(SIGSEGV, SIG_DFL);
        if (!ring_protect(ring))
            _exit(2);
        write_up_to(ring, 1, 1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),       cmocka_unit_test(test_reads_all_in_order),
        cmocka_unit_test(test_late_reader), cmocka_unit_test(test_no_torn_sample),
        cmocka_unit_test(test_protected),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
