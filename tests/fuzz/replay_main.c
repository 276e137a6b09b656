/* Runs a fuzz target over every file of the directories named as arguments: the corpus as an ordinary test.
 * Each input is also tried cut short at a few places, because a truncation is the cheapest mutation. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	uint8_t *data = malloc(1 << 20);
	size_t n = data != NULL ? fread(data, 1, 1 << 20, f) : 0;
	fclose(f);
	for (size_t part = 0; part <= 4; part++) {
		/* an own allocation of the exact size lets the sanitizer see an over-read */
		size_t len = n * part / 4;
		uint8_t *copy = malloc(len + (len == 0));
		if (copy == NULL)
			abort();
		if (len > 0)
			memcpy(copy, data, len);
		LLVMFuzzerTestOneInput(copy, len);
		free(copy);
	}
	free(data);
	return 0;
}

static size_t run_dir(const char *dir)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	if (d == NULL) {
		fprintf(stderr, "%s: no such corpus\n", dir);
		exit(1);
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (run_file(path) == 0)
			n++;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;
	for (int i = 1; i < argc; i++)
		n += run_dir(argv[i]);
	printf("%zu inputs\n", n);
	return n > 0 ? 0 : 1;
}
