#include "subagent/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "subagent/agent_status.h"
#include "subagent/clock.h"
#include "subagent/log.h"
#include "subagent/service.h"

#define NS_PER_MS INT64_C(1000000)

/* An agent that dies is started again: after 0.1 s, then twice as long each time, up to 5 s. */
#define BACKOFF_MIN_NS (NS_PER_S / 10)
#define BACKOFF_MAX_NS (5 * NS_PER_S)
#define STABLE_NS      (10 * NS_PER_S) /* having run this long, it starts with 0.1 s again */

/* A hung master may keep the agent in libnetsnmp; what it knows is on disk by then. */
#define GRACE_NS (NS_PER_S / 2)

enum pipe_end { PIPE_READ, PIPE_WRITE };

struct state {
    struct supervisor *supervisor;
    struct ring *ring;
    int wake[2];
    sigset_t signals;
    int64_t tick_ns;  /* next tick */
    pid_t agent;      /* 0: none */
    int64_t start_ns; /* no agent is started before */
    int64_t started_ns;
    int64_t backoff_ns;
    bool replacing; /* the agent has been told to end, for a new one to start at once */
    bool failed;    /* the agent did not end well when it was told to */
    bool ending;
};

/* A full pipe wakes, too. */
static void wake_agent(const struct state *state)
{
    if (write(state->wake[PIPE_WRITE], "", 1) < 0 && errno != EAGAIN)
        log_write(LOG_ERR, "pipe to the agent: %s", strerror(errno));
}

/* Ticks keep to their grid; those that were missed are left out. */
static void tick(struct state *state, int64_t now_ns)
{
    int64_t interval_ns = state->supervisor->config.sample_interval_ms * NS_PER_MS;

    if (now_ns < state->tick_ns)
        return;
    state->supervisor->sampler->keep_evidence = state->supervisor->config.evidence;
    sampler_tick(state->supervisor->sampler, state->ring);
    wake_agent(state);
    if (!state->supervisor->sampler->failing)
        service_alive(now_ns);
    state->tick_ns += (now_ns - state->tick_ns) / interval_ns * interval_ns + interval_ns;
}

static void start_agent(struct state *state, int64_t now_ns)
{
    pid_t pid;

    if (state->agent != 0 || now_ns < state->start_ns)
        return;
    pid = fork();
    if (pid == 0) {
        close(state->wake[PIPE_WRITE]); /* so that the agent sees our end */
        sampler_close(state->supervisor->sampler);
        _exit(state->supervisor->agent(&state->supervisor->config, state->ring,
                                       state->wake[PIPE_READ]));
    }
    state->started_ns = now_ns;
    if (pid > 0) {
        state->agent = pid;
        return;
    }
    log_write(LOG_ERR, "the agent cannot be started: %s", strerror(errno));
    state->start_ns = now_ns + BACKOFF_MAX_NS;
}

static void tell_end(int status, const char *then)
{
    if (WIFSIGNALED(status))
        log_write(LOG_ERR, "the agent process was ended by signal %d%s", WTERMSIG(status), then);
    else
        log_write(LOG_ERR, "the agent process ended with status %d%s", WEXITSTATUS(status), then);
}

static void agent_ended(struct state *state, int status, int64_t now_ns)
{
    bool again = WIFEXITED(status) && WEXITSTATUS(status) == AGENT_AGAIN;

    state->agent = 0;
    if (state->replacing) {
        state->failed = status != 0 && !again;
        if (state->failed)
            tell_end(status, " instead of well");
        state->replacing = false;
        state->start_ns = now_ns;
        return;
    }
    if (now_ns - state->started_ns >= STABLE_NS)
        state->backoff_ns = BACKOFF_MIN_NS;
    if (!again && state->backoff_ns == BACKOFF_MIN_NS) /* one line, not one each time */
        tell_end(status, "; starting it again");
    state->start_ns = now_ns + state->backoff_ns;
    state->backoff_ns *= 2;
    if (state->backoff_ns > BACKOFF_MAX_NS)
        state->backoff_ns = BACKOFF_MAX_NS;
}

static void reap(struct state *state)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == state->agent)
            agent_ended(state, status, clock_ns(CLOCK_MONOTONIC));
}

/* A new agent with the new configuration: it goes on where the old one was, from the ring. */
static void reload(struct state *state)
{
    if (!state->supervisor->reload(&state->supervisor->config) || state->agent == 0)
        return;
    state->replacing = true;
    kill(state->agent, SIGTERM);
    wake_agent(state);
}

static void take_signal(struct state *state, int signal)
{
    switch (signal) {
    case SIGTERM:
    case SIGINT:
        state->ending = true;
        break;
    case SIGHUP:
        reload(state);
        break;
    case SIGCHLD:
        reap(state);
        break;
    }
}

/* Waits for a signal until `until_ns`, and serves it. */
static void wait_until(struct state *state, int64_t until_ns)
{
    int64_t left_ns = until_ns - clock_ns(CLOCK_MONOTONIC);
    struct timespec timeout = {.tv_sec = 0};
    int signal;

    if (left_ns > 0)
        timeout = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
    signal = sigtimedwait(&state->signals, NULL, &timeout);
    if (signal > 0)
        take_signal(state, signal);
}

static int64_t next_deadline(const struct state *state)
{
    bool start_sooner = state->agent == 0 && state->start_ns < state->tick_ns;

    return start_sooner ? state->start_ns : state->tick_ns;
}

static void end_agent(struct state *state)
{
    int64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + GRACE_NS;

    if (state->agent == 0)
        return;
    state->replacing = true; /* its end is no failure */
    kill(state->agent, SIGTERM);
    wake_agent(state);
    while (state->agent != 0 && clock_ns(CLOCK_MONOTONIC) < deadline_ns)
        wait_until(state, deadline_ns);
    if (state->agent == 0)
        return;
    kill(state->agent, SIGKILL);
    waitpid(state->agent, NULL, 0);
}

static void do_nothing(int signal)
{
    (void)signal;
}

static bool prepare(struct state *state)
{
    /* BSD discards a signal that is ignored by default, also where somebody waits for it. */
    const struct sigaction keep = {.sa_handler = do_nothing, .sa_flags = SA_NOCLDSTOP};

    state->ring = ring_create((uint64_t)clock_ns(CLOCK_REALTIME));
    if (!state->ring || pipe(state->wake) != 0)
        return false;
    for (int end = PIPE_READ; end <= PIPE_WRITE; end++)
        if (fcntl(state->wake[end], F_SETFL, O_NONBLOCK) != 0 ||
            fcntl(state->wake[end], F_SETFD, FD_CLOEXEC) != 0)
            return false;
    sigemptyset(&state->signals);
    sigaddset(&state->signals, SIGTERM);
    sigaddset(&state->signals, SIGINT);
    sigaddset(&state->signals, SIGHUP);
    sigaddset(&state->signals, SIGCHLD);
    return sigaction(SIGCHLD, &keep, NULL) == 0 &&
           sigprocmask(SIG_BLOCK, &state->signals, NULL) == 0;
}

int supervisor_run(struct supervisor *supervisor)
{
    struct state state = {.supervisor = supervisor, .backoff_ns = BACKOFF_MIN_NS};

    if (!prepare(&state)) {
        log_write(LOG_ERR, "sampler: %s", strerror(errno));
        return 1;
    }
    state.tick_ns = clock_ns(CLOCK_MONOTONIC);
    service_ready();
    while (!state.ending) {
        tick(&state, clock_ns(CLOCK_MONOTONIC));
        start_agent(&state, clock_ns(CLOCK_MONOTONIC));
        wait_until(&state, next_deadline(&state));
    }
    log_write(LOG_NOTICE, "ending");
    end_agent(&state);
    return state.failed ? 1 : 0;
}
