/* A plugin's ELF image read as data, by libelf: its manifest note, what it exports, the head of its entry. Runs no code
 * of the plugin and trusts no number in it. Owner: the caller; borrows the bytes. [control] */
#ifndef TRIGATE_PLUGINS_IMAGE_H
#define TRIGATE_PLUGINS_IMAGE_H

#include <libelf.h>
#include <stddef.h>

#include <trigate/error.h>

#define ENTRY_SYMBOL "tg_plugin_entry"

struct image {
	Elf *elf;
	const unsigned char *bytes;
	size_t size;
};

/* Refuses what is not a whole shared object of this machine. `bytes` must outlive the image. */
int image_open(const unsigned char *bytes, size_t size, struct image *ret_image, struct tg_error *ret_error);
void image_close(struct image *image);

/* The text of the one manifest note; borrowed from the image. TG_ERR_NOT_FOUND if there is none. */
int image_manifest(const struct image *image, struct tg_str *ret_text, struct tg_error *ret_error);

/* Exactly one symbol is exported: the entry. ret_head takes the fields before `id`, as they stand in the file. */
int image_entry(const struct image *image, struct tg_entry *ret_head, struct tg_error *ret_error);

#endif
