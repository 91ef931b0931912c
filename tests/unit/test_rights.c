/* What a process that has given up rights can still do: each try is a child's, which the kernel
   ends or lets go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/Linux/landlock.h"
#include "platform/Linux/sanitized.h"
#include "platform/Linux/system_calls.h"
#include "platform/rights.h"

#define CHILD_FAILED 99

static char directory[] = "/tmp/rstwatch-test-XXXXXX";

/* ---- System calls ---- */

/* Each is made for its system call alone: what it returns does not matter. */
static void run_a_program(void)
{
    char *const none[] = {NULL};

    execve("/bin/true", none, none);
}

static void trace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void open_packet_socket(void)
{
    socket(AF_PACKET, SOCK_RAW, 0);
}

static void map_a_program(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_memory_a_program(void)
{
    static char page[8192] __attribute__((aligned(4096)));

    mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void become_root(void)
{
    syscall(SYS_setuid, 0);
}

static void make_namespace(void)
{
    unshare(CLONE_NEWNET);
}

static void fork_into_namespace(void)
{
    if (syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL) == 0)
        _exit(0);
}

static void load_bpf(void)
{
    syscall(SYS_bpf, BPF_PROG_LOAD, NULL, 0);
}

static void mount_something(void)
{
    mount("none", "/", "tmpfs", MS_REMOUNT, NULL);
}

static void make_executable(void)
{
    syscall(SYS_fchmodat, AT_FDCWD, "/dev/null", 0666);
}

static void type_into_terminal(void)
{
    ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static void signal_others(void)
{
    kill(getpid(), SIGUSR1);
}

static void listen_for_others(void)
{
    listen(0, 1);
}

static void end_the_sampler(void)
{
    signal(SIGTERM, SIG_IGN);
    kill(getpid(), SIGTERM);
}

static void make_a_child(void)
{
    if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0)
        _exit(0);
}

static void read_bpf_maps(void)
{
    syscall(SYS_bpf, BPF_MAP_LOOKUP_BATCH, NULL, 0);
}

static void ask_netlink(void)
{
    if (socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) != -1 || errno != EACCES)
        _exit(CHILD_FAILED);
}

static void speak_to_snmpd(void)
{
    if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
        _exit(CHILD_FAILED);
}

static int status_of(enum caller caller, void (*act)(void))
{
    char error[200];
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (!system_calls_limit(caller, error, sizeof error))
            _exit(CHILD_FAILED);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void calls_that_end_a_process(void **state)
{
    static const struct {
        const char *what;
        void (*act)(void);
        bool sampler, agent; /* killed */
    } cases[] = {
        {"run a program", run_a_program, true, true},
        {"trace", trace, true, true},
        {"open a packet socket", open_packet_socket, true, true},
        {"map a program", map_a_program, true, true},
        {"make memory a program", make_memory_a_program, true, true},
        {"become root", become_root, true, true},
        {"make a namespace", make_namespace, true, true},
        {"fork into a namespace", fork_into_namespace, true, true},
        {"load a BPF program", load_bpf, true, true},
        {"mount", mount_something, true, true},
        {"change a file's mode", make_executable, true, true},
        {"type into a terminal", type_into_terminal, true, true},
        {"signal others", signal_others, true, true},
        {"listen for others", listen_for_others, true, true},
        {"end the sampler", end_the_sampler, false, true},
        {"make a child", make_a_child, false, true},
        {"read BPF maps", read_bpf_maps, false, true},
        {"ask netlink", ask_netlink, false, false},
        {"speak to snmpd", speak_to_snmpd, false, false},
    };

    (void)state;
    if (SANITIZED)
        skip(); /* what is not in the list is let through there */
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        for (enum caller caller = SAMPLER; caller <= AGENT; caller++) {
            bool killed = caller == SAMPLER ? cases[n].sampler : cases[n].agent;
            int status = status_of(caller, cases[n].act);

            if (killed ? !is_killed(status) : status != 0)
                fail_msg("%s, %s: status %x", caller == SAMPLER ? "sampler" : "agent",
                         cases[n].what, (unsigned)status);
        }
    }
}

static void fork_as_agent_and_load(void)
{
    char error[200];
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!system_calls_limit(AGENT, error, sizeof error))
            _exit(CHILD_FAILED);
        kill(getppid(), SIGKILL);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || !is_killed(status))
        _exit(CHILD_FAILED);
}

static void an_agent_narrows_what_it_inherits(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(status_of(SAMPLER, fork_as_agent_and_load), 0);
}

/* ---- Landlock ---- */

static const char *beside(const char *name)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int result_of(int result)
{
    return result < 0 ? errno : 0;
}

static int make(const char *name)
{
    return result_of(open(beside(name), O_CREAT | O_WRONLY, 0600));
}

#define EXPECT(expected, result)                                                                   \
    do {                                                                                           \
        if ((result) != (expected))                                                                \
            _exit(__LINE__ - first_line);                                                          \
    } while (0)

/* "in/state" is the state directory. */
static void write_here_and_there(void)
{
    const int first_line = __LINE__;
    char state[200];

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    strcpy(state, beside("in/state"));
    EXPECT(true, landlock_write_only_in(state));
    EXPECT(0, make("in/state/file"));
    EXPECT(0, result_of(truncate(beside("in/state/file"), 0)));
    EXPECT(0, result_of(mkdir(beside("in/state/evidence"), 0700)));
    EXPECT(0, result_of(unlink(beside("in/state/file"))));
    EXPECT(0, result_of(rmdir(beside("in/state/evidence"))));
    EXPECT(EACCES, make("in/another"));
    EXPECT(EACCES, result_of(rmdir(beside("in/state"))));
    EXPECT(EACCES, result_of(rename(state, beside("in/moved"))));
    EXPECT(0, make("in/state/again"));
    EXPECT(0, result_of(open(beside("out"), O_RDONLY)));
    EXPECT(EACCES, result_of(open(beside("out"), O_WRONLY)));
    EXPECT(EACCES, result_of(truncate(beside("out"), 0)));
    EXPECT(EACCES, result_of(unlink(beside("out"))));
    EXPECT(EACCES, make("another"));
    EXPECT(EACCES, result_of(mkdir(beside("directory"), 0700)));
    EXPECT(EACCES, result_of(symlink("/etc/passwd", beside("in/state/link"))));
    EXPECT(EACCES, result_of(mkfifo(beside("in/state/pipe"), 0600)));
    EXPECT(EACCES, result_of(execl("/bin/true", "true", NULL)));
    _exit(0);
}

static void only_the_state_directory_can_be_written(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if (landlock_version() == 0)
        skip();
    assert_non_null(mkdtemp(directory));
    assert_int_equal(mkdir(beside("in"), 0700), 0);
    assert_int_equal(mkdir(beside("in/state"), 0700), 0);
    assert_int_equal(make("out"), 0);
    pid = fork();
    if (pid == 0)
        write_here_and_there();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

static int remove_directory(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

/* ---- What was inherited ---- */

static bool is_null_device(int file)
{
    struct stat status, null;

    return fstat(file, &status) == 0 && stat("/dev/null", &null) == 0 &&
           status.st_rdev == null.st_rdev;
}

static void start_with_much(void)
{
    const int first_line = __LINE__;
    char error[200];
    int many = dup2(STDIN_FILENO, 50);

    setenv("SECRET", "1", 1);
    setenv("TZ", "UTC", 1);
    setenv("NOTIFY_SOCKET", "@here", 1);
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    EXPECT(true, rights_inherit_little(error, sizeof error));
    EXPECT(-1, fcntl(many, F_GETFD));
    EXPECT(true, is_null_device(STDIN_FILENO));
    EXPECT(true, is_null_device(STDERR_FILENO));
    EXPECT(STDERR_FILENO + 1, dup(STDIN_FILENO));
    EXPECT(true, getenv("SECRET") == NULL);
    EXPECT(0, strcmp("UTC", getenv("TZ")));
    EXPECT(0, strcmp("@here", getenv("NOTIFY_SOCKET")));
    EXPECT(true, environ[2] == NULL);
    _exit(0);
}

static void little_is_inherited(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        start_with_much();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_end_a_process),
        cmocka_unit_test(an_agent_narrows_what_it_inherits),
        cmocka_unit_test(little_is_inherited),
        cmocka_unit_test_teardown(only_the_state_directory_can_be_written, remove_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
