/* Where control.sock is. A state directory may be deeper than sun_path holds (107 bytes): it is then reached through
 * /proc/self/fd. */
#ifndef TRIGATE_CORE_CONTROL_ADDRESS_H
#define TRIGATE_CORE_CONTROL_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include <trigate/error.h>

struct control_address {
	struct sockaddr_un name;
	int dir_fd; /* the state directory; must stay open while name is used */
};

/* Errors: TG_ERR_NOT_FOUND (no such directory), TG_ERR_AUTH, TG_ERR_IO. */
int control_address_init(const char *state_dir, struct control_address *ret_address, struct tg_error *ret_error);
void control_address_finish(struct control_address *address);

#endif
