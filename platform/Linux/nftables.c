/*
 * Source nftables: named counters in tables of our own, "rstwatch" of the
 * families ip and ip6, each with a chain a direction and a rule a chain. Exact;
 * Linux 4.10 and newer. Reading takes CAP_NET_ADMIN, so the sampler keeps it.
 *
 * The tables carry the owner flag (Linux 5.12): they end with our socket, and
 * nobody else can change them, not even by `nft flush ruleset`. Where there is
 * no such flag a flush takes them; then they are put back, and a reading says
 * that it does not continue the one before.
 *
 * A table a family and one rule a chain: in a table inet each packet would be
 * asked for its family by two rules.
 *
 * The argument "no-owner" is for tests: as if the kernel had no owner flag.
 */
#include <netinet/in.h> /* before those of Linux, which else define the same */

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/Linux/components.h"
#include "platform/Linux/exact.h"
#include "platform/estimate.h"
#include "platform/reader.h"

#define TABLE "rstwatch"

#define TABLE_OWNED 0x2 /* NFT_TABLE_F_OWNER of Linux 5.12; our headers may be older */

#define IPV4_FRAGMENT        6      /* offset */
#define IPV4_FRAGMENT_OFFSET 0x1fff /* mask */

#define TCP_FLAGS_OFFSET 13
#define TCP_LAST_WORD    16 /* offset: it is there if the whole header is */
#define TCP_RST          0x04

/* Reading again when somebody changed a rule meanwhile: the kernel then says EINTR. */
#define READ_ATTEMPTS 5

static const uint8_t families[COUNT_FAMILIES] = {
    [COUNT_IPV4] = NFPROTO_IPV4,
    [COUNT_IPV6] = NFPROTO_IPV6,
};

static const struct {
    const char *name; /* of the chain and of its counter */
    uint32_t hook;
} directions[COUNT_DIRECTIONS] = {
    [COUNT_RECEIVED] = {"received", NF_INET_LOCAL_IN},
    [COUNT_SENT] = {"sent", NF_INET_LOCAL_OUT},
};

struct reader {
    struct estimate estimate; /* of the causes */
    struct components *components;
    struct mnl_socket *socket;
    uint32_t table_flags;
    uint32_t sequence;
    pid_t pid; /* of the process that reads: tables without an owner end with it */
};

/* Messages one behind the other, as they are sent. */
struct request {
    struct nlmsghdr *last;
    uint32_t sequence;
    _Alignas(struct nlmsghdr) char bytes[8192]; /* 3 KB are in use */
};

/* ---- Messages ---- */

static struct nlmsghdr *put_message(struct request *request, uint16_t type, uint16_t flags,
                                    uint8_t family, uint16_t resource)
{
    void *at = request->last ? mnl_nlmsg_get_payload_tail(request->last) : request->bytes;
    struct nlmsghdr *message = mnl_nlmsg_put_header(at);
    struct nfgenmsg *general = mnl_nlmsg_put_extra_header(message, sizeof *general);

    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    message->nlmsg_seq = request->sequence;
    general->nfgen_family = family;
    general->version = NFNETLINK_V0;
    general->res_id = htons(resource);
    request->last = message;
    return message;
}

static struct nlmsghdr *put_nftables(struct request *request, enum nf_tables_msg_types type,
                                     uint16_t flags, uint8_t family)
{
    return put_message(request, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, family, 0);
}

static void put_number(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
    mnl_attr_put_u32(message, type, htonl(value));
}

static void put_new_table(struct request *request, uint8_t family, uint32_t flags)
{
    struct nlmsghdr *message = put_nftables(request, NFT_MSG_NEWTABLE, NLM_F_CREATE, family);

    mnl_attr_put_strz(message, NFTA_TABLE_NAME, TABLE);
    put_number(message, NFTA_TABLE_FLAGS, flags);
}

static void put_delete_table(struct request *request, uint8_t family)
{
    struct nlmsghdr *message = put_nftables(request, NFT_MSG_DELTABLE, 0, family);

    mnl_attr_put_strz(message, NFTA_TABLE_NAME, TABLE);
}

static void put_counter(struct request *request, uint8_t family, const char *name)
{
    struct nlmsghdr *message = put_nftables(request, NFT_MSG_NEWOBJ, NLM_F_CREATE, family);
    struct nlattr *data;

    mnl_attr_put_strz(message, NFTA_OBJ_TABLE, TABLE);
    mnl_attr_put_strz(message, NFTA_OBJ_NAME, name);
    put_number(message, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
    data = mnl_attr_nest_start(message, NFTA_OBJ_DATA);
    mnl_attr_nest_end(message, data);
}

static void put_chain(struct request *request, uint8_t family, const char *name, uint32_t hook)
{
    struct nlmsghdr *message = put_nftables(request, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
    struct nlattr *place;

    mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, TABLE);
    mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
    mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
    place = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
    put_number(message, NFTA_HOOK_HOOKNUM, hook);
    put_number(message, NFTA_HOOK_PRIORITY, (uint32_t)EXACT_PRIORITY);
    mnl_attr_nest_end(message, place);
}

/* ---- Expressions of a rule ---- */

struct expression {
    struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *message, const char *name)
{
    struct expression expression;

    expression.element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
    expression.data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
    return expression;
}

static void end_expression(struct nlmsghdr *message, struct expression expression)
{
    mnl_attr_nest_end(message, expression.data);
    mnl_attr_nest_end(message, expression.element);
}

/* As it stands in a packet: of one byte, or of two in network order. */
static void put_value(struct nlmsghdr *message, uint16_t type, size_t size, uint16_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    struct nlattr *data = mnl_attr_nest_start(message, type);

    mnl_attr_put(message, NFTA_DATA_VALUE, size, bytes + sizeof bytes - size);
    mnl_attr_nest_end(message, data);
}

static void put_load_protocol(struct nlmsghdr *message)
{
    struct expression meta = begin_expression(message, "meta");

    put_number(message, NFTA_META_KEY, NFT_META_L4PROTO);
    put_number(message, NFTA_META_DREG, NFT_REG_1);
    end_expression(message, meta);
}

/* Where the packet does not reach so far, the rule ends here. */
static void put_load(struct nlmsghdr *message, enum nft_payload_bases base, uint32_t offset,
                     uint32_t length)
{
    struct expression payload = begin_expression(message, "payload");

    put_number(message, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_number(message, NFTA_PAYLOAD_BASE, base);
    put_number(message, NFTA_PAYLOAD_OFFSET, offset);
    put_number(message, NFTA_PAYLOAD_LEN, length);
    end_expression(message, payload);
}

static void put_and(struct nlmsghdr *message, size_t size, uint16_t mask)
{
    struct expression bitwise = begin_expression(message, "bitwise");

    put_number(message, NFTA_BITWISE_SREG, NFT_REG_1);
    put_number(message, NFTA_BITWISE_DREG, NFT_REG_1);
    put_number(message, NFTA_BITWISE_LEN, (uint32_t)size);
    put_value(message, NFTA_BITWISE_MASK, size, mask);
    put_value(message, NFTA_BITWISE_XOR, size, 0);
    end_expression(message, bitwise);
}

static void put_compare(struct nlmsghdr *message, enum nft_cmp_ops operation, size_t size,
                        uint16_t value)
{
    struct expression compare = begin_expression(message, "cmp");

    put_number(message, NFTA_CMP_SREG, NFT_REG_1);
    put_number(message, NFTA_CMP_OP, operation);
    put_value(message, NFTA_CMP_DATA, size, value);
    end_expression(message, compare);
}

static void put_count(struct nlmsghdr *message, const char *counter)
{
    struct expression reference = begin_expression(message, "objref");

    put_number(message, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    mnl_attr_put_strz(message, NFTA_OBJREF_IMM_NAME, counter);
    end_expression(message, reference);
}

/*
 * What is behind the flags is asked of resets only: a part of a TCP header is
 * none, nor is what looks like one in a later fragment, which a raw socket can
 * send. (Of IPv6 the kernel itself looks for the header in the first one only.)
 */
static void put_rule(struct request *request, uint8_t family, const char *name)
{
    struct nlmsghdr *message =
        put_nftables(request, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
    struct nlattr *expressions;

    mnl_attr_put_strz(message, NFTA_RULE_TABLE, TABLE);
    mnl_attr_put_strz(message, NFTA_RULE_CHAIN, name);
    expressions = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
    put_load_protocol(message);
    put_compare(message, NFT_CMP_EQ, 1, IPPROTO_TCP);
    put_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    put_and(message, 1, TCP_RST);
    put_compare(message, NFT_CMP_NEQ, 1, 0);
    put_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_LAST_WORD, 4);
    if (family == NFPROTO_IPV4) {
        put_load(message, NFT_PAYLOAD_NETWORK_HEADER, IPV4_FRAGMENT, 2);
        put_and(message, 2, IPV4_FRAGMENT_OFFSET);
        put_compare(message, NFT_CMP_EQ, 2, 0);
    }
    put_count(message, name);
    mnl_attr_nest_end(message, expressions);
}

/* ---- Changes: a batch, which the kernel does whole or not at all ---- */

static void begin_batch(struct reader *reader, struct request *request)
{
    request->last = NULL;
    request->sequence = ++reader->sequence;
    put_message(request, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static bool send_request(struct reader *reader, const struct request *request)
{
    size_t length = (size_t)((char *)mnl_nlmsg_get_payload_tail(request->last) - request->bytes);

    return mnl_socket_sendto(reader->socket, request->bytes, length) == (ssize_t)length;
}

/* Takes all answers that wait. Errno of the first one that is an error, or 0. */
static int drain(struct reader *reader)
{
    _Alignas(struct nlmsghdr) char bytes[8192];
    int first_error = 0;
    ssize_t got;

    while ((got = mnl_socket_recvfrom(reader->socket, bytes, sizeof bytes)) > 0) {
        int left = (int)got;

        for (struct nlmsghdr *message = (struct nlmsghdr *)bytes; mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left)) {
            const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);

            if (message->nlmsg_type == NLMSG_ERROR && answer->error != 0 && first_error == 0)
                first_error = -answer->error;
        }
    }
    return first_error;
}

/* Errno of what failed, or 0. The kernel has worked a batch off by the time that it is sent,
   and answers only where something is wrong. */
static int commit(struct reader *reader, struct request *request)
{
    put_message(request, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    return send_request(reader, request) ? drain(reader) : errno;
}

/* In place of tables of that name: of an instance that was killed, where they have no owner. */
static int create_tables(struct reader *reader)
{
    struct request request;

    begin_batch(reader, &request);
    for (int family = 0; family < COUNT_FAMILIES; family++) {
        put_new_table(&request, families[family], 0); /* for there to be one to delete */
        put_delete_table(&request, families[family]);
        put_new_table(&request, families[family], reader->table_flags);
        for (int direction = 0; direction < COUNT_DIRECTIONS; direction++) {
            const char *name = directions[direction].name;

            put_counter(&request, families[family], name);
            put_chain(&request, families[family], name, directions[direction].hook);
            put_rule(&request, families[family], name);
        }
    }
    return commit(reader, &request);
}

static void delete_tables(struct reader *reader)
{
    struct request request;

    begin_batch(reader, &request);
    for (int family = 0; family < COUNT_FAMILIES; family++)
        put_delete_table(&request, families[family]);
    commit(reader, &request);
}

/* ---- Reading ---- */

struct answer {
    struct exact exact;
    unsigned found; /* counters */
};

static int take_attribute(const struct nlattr *attribute, void *table)
{
    const struct nlattr **attributes = table;
    uint16_t type = mnl_attr_get_type(attribute);

    if (type <= NFTA_OBJ_MAX &&
        (type != NFTA_OBJ_NAME || mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0))
        attributes[type] = attribute;
    return MNL_CB_OK;
}

static int take_packets(const struct nlattr *attribute, void *packets)
{
    if (mnl_attr_get_type(attribute) == NFTA_COUNTER_PACKETS &&
        mnl_attr_validate(attribute, MNL_TYPE_U64) == 0)
        *(uint64_t *)packets = be64toh(mnl_attr_get_u64(attribute));
    return MNL_CB_OK;
}

static int take_counter(const struct nlmsghdr *message, void *data)
{
    const struct nfgenmsg *general = mnl_nlmsg_get_payload(message);
    const struct nlattr *attributes[NFTA_OBJ_MAX + 1] = {NULL};
    struct answer *answer = data;

    if (mnl_nlmsg_get_payload_len(message) < sizeof *general)
        return MNL_CB_OK;
    mnl_attr_parse(message, sizeof *general, take_attribute, attributes);
    if (!attributes[NFTA_OBJ_NAME] || !attributes[NFTA_OBJ_DATA])
        return MNL_CB_OK;
    for (int direction = 0; direction < COUNT_DIRECTIONS; direction++) {
        for (int family = 0; family < COUNT_FAMILIES; family++) {
            if (general->nfgen_family != families[family] ||
                strcmp(mnl_attr_get_str(attributes[NFTA_OBJ_NAME]), directions[direction].name) !=
                    0)
                continue;
            mnl_attr_parse_nested(attributes[NFTA_OBJ_DATA], take_packets,
                                  &answer->exact.resets[direction][family]);
            answer->found++;
        }
    }
    return MNL_CB_OK;
}

static bool ask_for_counters(struct reader *reader)
{
    struct request request = {.last = NULL, .sequence = ++reader->sequence};
    struct nlmsghdr *message = put_nftables(&request, NFT_MSG_GETOBJ, NLM_F_DUMP, NFPROTO_UNSPEC);

    mnl_attr_put_strz(message, NFTA_OBJ_TABLE, TABLE);
    put_number(message, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
    return send_request(reader, &request);
}

/* Errno of what failed, or 0. */
static int dump_counters(struct reader *reader, struct answer *answer)
{
    _Alignas(struct nlmsghdr) char bytes[32768]; /* the kernel sends up to that at once */
    unsigned port = mnl_socket_get_portid(reader->socket);
    int more = ask_for_counters(reader) ? MNL_CB_OK : MNL_CB_ERROR;

    *answer = (struct answer){.found = 0};
    while (more == MNL_CB_OK) {
        ssize_t got = mnl_socket_recvfrom(reader->socket, bytes, sizeof bytes);

        more = got < 0
                   ? MNL_CB_ERROR
                   : mnl_cb_run(bytes, (size_t)got, reader->sequence, port, take_counter, answer);
    }
    return more == MNL_CB_STOP ? 0 : errno;
}

static int read_counters(struct reader *reader, struct answer *answer)
{
    int why = EINTR;

    for (int n = 0; n < READ_ATTEMPTS && why == EINTR; n++) {
        why = dump_counters(reader, answer);
        if (why != 0)
            drain(reader); /* what is left of it */
    }
    return why;
}

/* ---- The source ---- */

static void nftables_close(struct reader *reader)
{
    if (reader->socket && reader->table_flags == 0 && reader->pid == getpid())
        delete_tables(reader);
    if (reader->socket)
        mnl_socket_close(reader->socket);
    components_close(reader->components);
    free(reader);
}

static bool open_socket(struct reader *reader, char *error, size_t error_size)
{
    reader->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (reader->socket && mnl_socket_bind(reader->socket, 0, MNL_SOCKET_AUTOPID) == 0)
        return true;
    snprintf(error, error_size, "netlink: %s", strerror(errno));
    return false;
}

static enum reader_open tell_why_none(struct reader *reader, int why, char *error,
                                      size_t error_size)
{
    struct answer answer;

    /* What can be read and not be changed has another owner. */
    if (why == EPERM && read_counters(reader, &answer) == 0 && answer.found > 0) {
        snprintf(error, error_size,
                 "another instance counts in this network namespace (table " TABLE
                 " has another owner)");
        return READER_TAKEN;
    }
    snprintf(error, error_size, "making table " TABLE ": %s%s", strerror(why),
             why == EPERM ? " (takes CAP_NET_ADMIN)" : "");
    return READER_FAILED;
}

static enum reader_open make_tables(struct reader *reader, const char *argument, char *error,
                                    size_t error_size)
{
    int why;

    reader->table_flags = strcmp(argument, "no-owner") == 0 ? 0 : TABLE_OWNED;
    why = create_tables(reader);
    if (reader->table_flags != 0 && (why == EINVAL || why == EOPNOTSUPP)) {
        reader->table_flags = 0;
        why = create_tables(reader);
    }
    return why == 0 ? READER_OPEN : tell_why_none(reader, why, error, error_size);
}

static enum reader_open nftables_open(struct reader **opened, const char *argument, char *error,
                                      size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);
    enum reader_open result = READER_FAILED;

    if (!reader) {
        snprintf(error, error_size, "nftables: %s", strerror(errno));
        return READER_FAILED;
    }
    reader->components = components_open("", EXACT_COMPONENTS_INTERVAL_NS, error, error_size);
    if (reader->components && open_socket(reader, error, error_size))
        result = make_tables(reader, argument, error, error_size);
    if (result == READER_OPEN)
        *opened = reader;
    else
        nftables_close(reader);
    return result;
}

/* Whoever flushed them, their counts are lost. */
static bool put_tables_back(struct reader *reader, struct answer *answer)
{
    int why = create_tables(reader);

    if (why == 0)
        why = read_counters(reader, answer);
    errno = why;
    return why == 0;
}

static bool nftables_read(struct reader *reader, struct sample *sample, char *error,
                          size_t error_size)
{
    struct answer answer;
    int why = read_counters(reader, &answer);

    reader->pid = getpid();
    if (why != 0) {
        snprintf(error, error_size, "reading table " TABLE ": %s", strerror(why));
        return false;
    }
    if (answer.found < COUNT_DIRECTIONS * COUNT_FAMILIES) {
        sample->restarted = true;
        if (!put_tables_back(reader, &answer)) {
            snprintf(error, error_size, "table " TABLE " is gone; putting it back: %s",
                     strerror(errno));
            return false;
        }
    }
    if (!components_read(reader->components, sample, error, error_size))
        return false;
    exact_set(&answer.exact, sample);
    if (components_are_fresh(reader->components, sample))
        estimate_next(&reader->estimate, sample);
    estimate_set_causes(&reader->estimate, sample);
    sample->sources |= UINT32_C(1) << SOURCE_NFTABLES;
    return true;
}

const struct reader_type nftables_reader = {
    .name = "nftables",
    .meaning = "counters in tables of our own: exact (Linux 4.10 and newer)",
    .reads_with_rights = true,
    .automatic = true,
    .open = nftables_open,
    .read = nftables_read,
    .close = nftables_close,
};
