#include "core/control/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/control/protocol.h"

static int open_failed(const char *state_dir, struct tg_error *ret_error)
{
	if (errno == ENOENT)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "there is no state directory %s", state_dir);
	if (errno == ENOTDIR)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%s is not a directory", state_dir);
	return tg_error_set(ret_error, errno == EACCES ? TG_ERR_AUTH : TG_ERR_IO, "cannot open state directory %s: %s",
			    state_dir, strerror(errno));
}

int control_address_init(const char *state_dir, struct control_address *ret_address, struct tg_error *ret_error)
{
	int dir_fd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return open_failed(state_dir, ret_error);
	struct control_address address = {.name.sun_family = AF_UNIX, .dir_fd = dir_fd};
	size_t room = sizeof address.name.sun_path;
	if (strlen(state_dir) + sizeof "/" CONTROL_SOCKET <= room)
		snprintf(address.name.sun_path, room, "%s/" CONTROL_SOCKET, state_dir);
	else
		snprintf(address.name.sun_path, room, "/proc/self/fd/%d/" CONTROL_SOCKET, dir_fd);
	*ret_address = address;
	return 0;
}

void control_address_finish(struct control_address *address)
{
	if (address->dir_fd >= 0)
		close(address->dir_fd);
	address->dir_fd = -1;
}
