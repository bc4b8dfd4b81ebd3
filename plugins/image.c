#include <plugins/image.h>

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define HOST_MACHINE EM_PPC64
#else
#error "name the ELF machine of this architecture here"
#endif

#define HOST_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define HOST_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)
#define ENTRY_HEAD offsetof(struct tg_entry, id)

/* Exports that no author wrote: of sanitizers and profilers, of the linker. A name here is a beginning. */
static const char *const tool_symbols[] = {"__odr_asan", "__asan_",      "__lsan_",  "__ubsan", "__tsan_",
					   "__msan_",    "__sanitizer_", "__sancov", "__gcov",  "__llvm_prof"};
static const char *const linker_symbols[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};

static bool range_fits(const struct image *image, GElf_Off offset, GElf_Xword length)
{
	return offset <= image->size && length <= image->size - offset;
}

static int damaged(struct tg_error *ret_error, const char *what)
{
	return tg_error_set(ret_error, TG_ERR_CORRUPT, "is cut short or damaged (%s); build or copy it again", what);
}

static int header_check(const struct image *image, struct tg_error *ret_error)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(image->elf, &header))
		return damaged(ret_error, "header");
	if (header.e_ident[EI_CLASS] != HOST_CLASS || header.e_ident[EI_DATA] != HOST_ORDER ||
	    header.e_machine != HOST_MACHINE)
		return tg_error_set(ret_error, TG_ERR_INVALID, "is made for another machine; build it for this one");
	if (header.e_type != ET_DYN)
		return tg_error_set(ret_error, TG_ERR_INVALID, "is not a shared object; link it with -shared");
	if (header.e_shoff == 0)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "has no section table; keep it when stripping (strip does)");
	return 0;
}

/* Every byte that the loader would map and that we would read is in the file: mapping beyond its end is SIGBUS. */
static int extent_check(const struct image *image, struct tg_error *ret_error)
{
	GElf_Ehdr header;
	size_t segments, sections;
	if (!gelf_getehdr(image->elf, &header) || elf_getphdrnum(image->elf, &segments) < 0 ||
	    elf_getshdrnum(image->elf, &sections) < 0)
		return damaged(ret_error, "tables");
	/* libelf counts no sections where their table is not wholly there */
	if (sections == 0 || !range_fits(image, header.e_shoff, sections * header.e_shentsize))
		return damaged(ret_error, "section table");
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr segment;
		if (!gelf_getphdr(image->elf, (int)i, &segment) ||
		    !range_fits(image, segment.p_offset, segment.p_filesz))
			return damaged(ret_error, "segments");
	}
	for (size_t i = 0; i < sections; i++) {
		GElf_Shdr section;
		if (!gelf_getshdr(elf_getscn(image->elf, i), &section) ||
		    (section.sh_type != SHT_NOBITS && !range_fits(image, section.sh_offset, section.sh_size)))
			return damaged(ret_error, "sections");
	}
	return 0;
}

int image_open(const unsigned char *bytes, size_t size, struct image *ret_image, struct tg_error *ret_error)
{
	if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "is not an ELF file; a plugin is a shared object (.so)");
	elf_version(EV_CURRENT);
	/* elf_memory takes char *, but reads only: the byte order is ours, nothing is converted in place */
	struct image image = {elf_memory((char *)(uintptr_t)bytes, size), bytes, size};
	if (!image.elf || elf_kind(image.elf) != ELF_K_ELF) {
		elf_end(image.elf);
		return damaged(ret_error, "header");
	}
	int code = header_check(&image, ret_error);
	if (code == 0)
		code = extent_check(&image, ret_error);
	if (code < 0) {
		elf_end(image.elf);
		return code;
	}
	*ret_image = image;
	return 0;
}

void image_close(struct image *image)
{
	elf_end(image->elf);
	image->elf = NULL;
}

/* Count the manifests of one note segment; the last one found goes to ret_text. */
static unsigned notes_scan(const struct image *image, const GElf_Phdr *segment, struct tg_str *ret_text)
{
	Elf_Type type = segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
	Elf_Data *data = elf_getdata_rawchunk(image->elf, (int64_t)segment->p_offset, segment->p_filesz, type);
	unsigned found = 0;
	GElf_Nhdr note;
	size_t name, text, next = 0;
	while (data && (next = gelf_getnote(data, next, &note, &name, &text)) > 0) {
		const char *base = data->d_buf;
		if (note.n_type != TG_NOTE_MANIFEST || note.n_namesz != sizeof TG_NOTE_NAME ||
		    memcmp(base + name, TG_NOTE_NAME, sizeof TG_NOTE_NAME) != 0)
			continue;
		*ret_text = (struct tg_str){base + text, note.n_descsz};
		found++;
	}
	return found;
}

int image_manifest(const struct image *image, struct tg_str *ret_text, struct tg_error *ret_error)
{
	size_t segments = 0;
	elf_getphdrnum(image->elf, &segments);
	struct tg_str text = {0};
	unsigned found = 0;
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr segment;
		if (gelf_getphdr(image->elf, (int)i, &segment) && segment.p_type == PT_NOTE)
			found += notes_scan(image, &segment, &text);
	}
	if (found == 0)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND,
				    "has no manifest, so it is not a trigate plugin; put one TG_MANIFEST(...) into it");
	if (found > 1)
		return tg_error_set(ret_error, TG_ERR_INVALID, "has %u manifests; keep one TG_MANIFEST(...)", found);
	*ret_text = text;
	return 0;
}

static bool is_tool_symbol(const char *name)
{
	for (size_t i = 0; i < sizeof tool_symbols / sizeof *tool_symbols; i++)
		if (strncmp(name, tool_symbols[i], strlen(tool_symbols[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof linker_symbols / sizeof *linker_symbols; i++)
		if (strcmp(name, linker_symbols[i]) == 0)
			return true;
	return false;
}

static bool is_exported(const GElf_Sym *symbol)
{
	unsigned binding = GELF_ST_BIND(symbol->st_info), visibility = GELF_ST_VISIBILITY(symbol->st_other);
	return symbol->st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* What the dynamic symbol table exports. */
struct exports {
	bool entry_found;
	GElf_Sym entry;
	unsigned surplus;
	const char *surplus_name; /* the first */
};

static int exports_scan(const struct image *image, Elf_Scn *scn, const GElf_Shdr *section, struct exports *exports,
			struct tg_error *ret_error)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t each = gelf_fsize(image->elf, ELF_T_SYM, 1, EV_CURRENT);
	size_t count = data ? data->d_size / each : 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(data, (int)i, &symbol))
			return damaged(ret_error, "symbols");
		if (!is_exported(&symbol))
			continue;
		const char *name = elf_strptr(image->elf, section->sh_link, symbol.st_name);
		if (!name)
			return damaged(ret_error, "symbol names");
		if (strcmp(name, ENTRY_SYMBOL) == 0) {
			exports->entry_found = true;
			exports->entry = symbol;
		} else if (!is_tool_symbol(name) && exports->surplus++ == 0) {
			exports->surplus_name = name;
		}
	}
	return 0;
}

static int exports_read(const struct image *image, struct exports *exports, struct tg_error *ret_error)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn)) != NULL;) {
		GElf_Shdr section;
		if (!gelf_getshdr(scn, &section) || section.sh_type != SHT_DYNSYM)
			continue;
		int code = exports_scan(image, scn, &section, exports, ret_error);
		if (code < 0)
			return code;
	}
	return 0;
}

/* The entry's head as it stands in the file; zero where the file holds nothing (.bss). */
static void entry_head_read(const struct image *image, GElf_Addr address, struct tg_entry *ret_head)
{
	size_t segments = 0;
	elf_getphdrnum(image->elf, &segments);
	*ret_head = (struct tg_entry){0};
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr segment;
		if (!gelf_getphdr(image->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    address < segment.p_vaddr)
			continue;
		GElf_Addr inside = address - segment.p_vaddr;
		if (inside < segment.p_filesz && segment.p_filesz - inside >= ENTRY_HEAD) {
			memcpy(ret_head, image->bytes + segment.p_offset + inside, ENTRY_HEAD);
			return;
		}
	}
}

int image_entry(const struct image *image, struct tg_entry *ret_head, struct tg_error *ret_error)
{
	struct exports exports = {0};
	int code = exports_read(image, &exports, ret_error);
	if (code < 0)
		return code;
	if (!exports.entry_found)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND,
				    "exports no entry symbol " ENTRY_SYMBOL "; define it with TG_PLUGIN_ENTRY");
	if (exports.surplus > 0)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "exports %u symbol%s beside " ENTRY_SYMBOL " (%.60s); link it with the flags of"
				    " pkg-config trigate-sdk (hidden visibility, version script)",
				    exports.surplus, exports.surplus == 1 ? "" : "s", exports.surplus_name);
	entry_head_read(image, exports.entry.st_value, ret_head);
	return 0;
}
