/* What a role may ask of the kernel: no-new-privs, no core dumps, and a seccomp filter per role from one table.
 * Under the sanitizers the filter also allows what their runtimes need. A refused call fails with EPERM and is counted
 * nowhere; calls that mean an attack (ptrace, mount, …) end the process. */
#ifndef CARILLON_NET_SANDBOX_H
#define CARILLON_NET_SANDBOX_H

#include "base/error.h"

enum sandbox_role { SANDBOX_INTAKE, SANDBOX_CORE, SANDBOX_EGRESS, SANDBOX_MAPPER, SANDBOX_FRONT };
int sandbox_enter(enum sandbox_role role, struct error *err) MUST_CHECK;

#endif
