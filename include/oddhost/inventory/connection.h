/*
 * From an inventory's variables, ssh_config and the command line to how a host is reached. The
 * command line wins; then comes what the ssh command line that Ansible would build says
 * (ansible-core: plugins/connection/ssh.py), where the first value of an option counts:
 * ansible_ssh_args, then ansible_host_key_checking and the variables of their own (ansible_host,
 * ansible_port, ansible_user and the ansible_ssh_* names, which win over those), then
 * ansible_ssh_common_args, then ansible_ssh_extra_args; then ssh's configuration files. Identities
 * add up.
 *
 * As with Ansible, the files are asked for ansible_host where that is set, and their HostName
 * applies to it.
 */
#ifndef ODDHOST_INVENTORY_CONNECTION_H
#define ODDHOST_INVENTORY_CONNECTION_H

#include <stdbool.h>

#include "oddhost/inventory/inventory.h"
#include "oddhost/inventory/ssh_option.h"
#include "oddhost/model/run.h"

/* What the command line says; NULL where it says nothing. */
struct connection_options {
	const char *user;
	const char *private_key;  /* the only one then */
	const char *known_hosts;  /* the only file then, also for jump hosts */
	const char *host_key;     /* strict, accept-new or off; also for jump hosts */
	const char *ssh_config;   /* instead of the usual files; "none": no file */
	const char *ssh_args;     /* as ansible_ssh_common_args */
	unsigned connect_timeout; /* seconds; for jump hosts, too; 0: not given */
	bool become;
	const char *become_user;
};

struct connections;

/* Reads ssh's files when a host first needs them. All pointers must outlive it. */
struct connections *connection_begin(
    struct inventory *inventory, struct arena *arena, const struct connection_options *options);
void connection_end(struct connections *connections); /* NULL does nothing */

/*
 * Fill `ret` for a host; strings are the inventory's or the arena's. A value that cannot be used
 * is an error of the inventory; a password, a {{ template }} and an option that is not known
 * are warnings, each once for the place where it is written. ret->vars holds the variables
 * ansible_* and oddhost_* that hold no secret. *ret_options says where the values came from.
 */
void connection_find(struct connections *connections, const struct inventory_host *host,
    struct host_spec *ret, struct ssh_options *ret_options);

/* Does the name say that the value is a secret? */
bool connection_is_secret(const char *name);

/* The same, or is there one in the value, as in "sshpass -p …"? */
bool connection_holds_secret(const struct inventory_var *var);

#endif
