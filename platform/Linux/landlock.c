#include "platform/Linux/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of version 3, which the headers of Linux 6.1 do not have yet. */
#define TRUNCATE_FILE (UINT64_C(1) << 14)

/* What files of the state need. */
#define TO_KEEP_FILES                                                                              \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |   \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR)

/* What else changes something, or runs it. */
#define NEVER                                                                                      \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |    \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

static bool allow_beneath(int rules, const char *directory, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    bool allowed;

    rule.parent_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT; /* there is nothing to write in */
    allowed = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return allowed;
}

bool landlock_write_only_in(const char *directory)
{
    uint64_t to_keep_files = TO_KEEP_FILES | (landlock_version() >= 3 ? TRUNCATE_FILE : 0);
    struct landlock_ruleset_attr all = {.handled_access_fs = to_keep_files | NEVER};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    bool restricted;

    if (rules < 0)
        return false;
    restricted = allow_beneath(rules, directory, to_keep_files) &&
                 syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return restricted;
}
