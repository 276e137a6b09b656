/* Promises to find any number of substrings in one pass over a text: Aho and Corasick's automaton over
 * letters without case. The states near the root, where a text spends its time, are full rows; the rest are
 * short lists that fall back. */
#include "rules/index_impl.h"

#include <stdlib.h>

enum { ROOT = 0, DENSE_ENTRIES = 1 << 19 }; /* 2 MiB of rows */

struct node {
	uint32_t child;   /* while building: first child; later: first of its edges */
	uint32_t sibling; /* while building; later: number of edges */
	uint32_t fail;
	uint32_t out;  /* first output + 1 */
	uint32_t more; /* the next state on the way of fails that has an output */
	unsigned char c;
};
struct edge {
	uint32_t to;
	unsigned char c;
};
struct output {
	uint32_t key;
	uint32_t next; /* + 1 */
};

struct substrings {
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct output *outputs;
	size_t n_outputs, cap_outputs;
	struct edge *edges;
	unsigned char class[256];
	unsigned n_classes;
	uint32_t *rows; /* n_dense * n_classes */
	size_t n_dense;
	uint64_t *telling; /* by state: it or one on its way of fails has an output */
	size_t n;
	bool finished;
};

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

struct substrings *substrings_new(void)
{
	struct substrings *s = xcalloc(1, sizeof *s);
	s->nodes = array_reserve(NULL, &s->cap_nodes, 64, sizeof *s->nodes);
	s->nodes[s->n_nodes++] = (struct node){0};
	return s;
}

void substrings_free(struct substrings *s)
{
	if (s == NULL)
		return;
	free(s->nodes);
	free(s->outputs);
	free(s->edges);
	free(s->rows);
	free(s->telling);
	free(s);
}

size_t substrings_len(const struct substrings *s)
{
	return s->n;
}

/* State 0 is the root, and nobody's child. */
static uint32_t trie_child(const struct substrings *s, uint32_t from, unsigned char c)
{
	uint32_t at = s->nodes[from].child;
	while (at != 0 && s->nodes[at].c != c)
		at = s->nodes[at].sibling;
	return at;
}

void substrings_add(struct substrings *s, struct slice text, uint32_t key)
{
	BUG_ON(s->finished || text.n == 0);
	uint32_t at = ROOT;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		BUG_ON(fold(c) != c);
		uint32_t next = trie_child(s, at, c);
		if (next == 0) {
			BUG_ON(s->n_nodes >= UINT32_MAX);
			s->nodes = array_reserve(s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof *s->nodes);
			next = (uint32_t)s->n_nodes++;
			s->nodes[next] = (struct node){.c = c, .sibling = s->nodes[at].child};
			s->nodes[at].child = next;
		}
		at = next;
	}
	s->outputs = array_reserve(s->outputs, &s->cap_outputs, s->n_outputs + 1, sizeof *s->outputs);
	s->outputs[s->n_outputs] = (struct output){.key = key, .next = s->nodes[at].out};
	s->nodes[at].out = (uint32_t)++s->n_outputs;
	s->n++;
}

/* Every octet that occurs gets a class of its own; all others share class 0. */
static void make_classes(struct substrings *s)
{
	s->n_classes = 1;
	for (size_t i = 1; i < s->n_nodes; i++) {
		unsigned char c = s->nodes[i].c;
		if (s->class[c] == 0)
			s->class[c] = (unsigned char)s->n_classes++;
	}
	for (unsigned c = 'A'; c <= 'Z'; c++)
		s->class[c] = s->class[fold((unsigned char)c)];
}

/* Breadth first, so that fails point to lower numbers and the states near the root stand in front. */
static void renumber(struct substrings *s)
{
	size_t n = s->n_nodes;
	struct node *nodes = xcalloc(n, sizeof *nodes);
	uint32_t *order = xcalloc(n, sizeof *order);
	s->edges = xcalloc(n, sizeof *s->edges);
	size_t tail = 1, n_edges = 0;
	for (size_t head = 0; head < tail; head++) {
		const struct node *old = &s->nodes[order[head]];
		nodes[head] = (struct node){.child = (uint32_t)n_edges, .out = old->out, .c = old->c};
		for (uint32_t kid = old->child; kid != 0; kid = s->nodes[kid].sibling) {
			s->edges[n_edges++] = (struct edge){(uint32_t)tail, s->nodes[kid].c};
			order[tail++] = kid;
		}
		nodes[head].sibling = (uint32_t)(n_edges - nodes[head].child);
	}
	BUG_ON(tail != n);
	free(order);
	free(s->nodes);
	s->nodes = nodes;
	s->cap_nodes = n;
}

static uint32_t own_edge(const struct substrings *s, uint32_t at, unsigned char c)
{
	const struct node *n = &s->nodes[at];
	for (uint32_t i = 0; i < n->sibling; i++) {
		if (s->edges[n->child + i].c == c)
			return s->edges[n->child + i].to;
	}
	return 0;
}

static uint32_t step(const struct substrings *s, uint32_t at, unsigned char c)
{
	while (at >= s->n_dense) {
		uint32_t to = own_edge(s, at, c);
		if (to != 0)
			return to;
		at = s->nodes[at].fail;
	}
	return s->rows[(size_t)at * s->n_classes + s->class[c]];
}

/* Rows are filled in order of depth: a fail's row is complete before it is copied. */
static void make_row(struct substrings *s, uint32_t at)
{
	uint32_t *row = s->rows + (size_t)at * s->n_classes;
	const struct node *n = &s->nodes[at];
	if (at != ROOT)
		memcpy(row, s->rows + (size_t)n->fail * s->n_classes, s->n_classes * sizeof *row);
	for (uint32_t i = 0; i < n->sibling; i++)
		row[s->class[s->edges[n->child + i].c]] = s->edges[n->child + i].to;
}

void substrings_finish(struct substrings *s)
{
	BUG_ON(s->finished);
	s->finished = true;
	make_classes(s);
	renumber(s);
	size_t dense = MIN(s->n_nodes, DENSE_ENTRIES / s->n_classes);
	s->rows = xcalloc(dense * s->n_classes, sizeof *s->rows);
	s->telling = xcalloc(s->n_nodes / 64 + 1, sizeof *s->telling);
	for (uint32_t at = 0; at < s->n_nodes; at++) {
		struct node *n = &s->nodes[at];
		n->more = s->nodes[n->fail].out != 0 ? n->fail : s->nodes[n->fail].more;
		if (n->out != 0 || n->more != 0)
			s->telling[at / 64] |= (uint64_t)1 << (at % 64);
		/* the children's fails: where this state's fail goes on their octet; the row of a state that
		 * is not there yet is never asked, because fails are less deep */
		for (uint32_t i = 0; i < n->sibling; i++) {
			const struct edge *e = &s->edges[n->child + i];
			s->nodes[e->to].fail = at == ROOT ? ROOT : step(s, n->fail, e->c);
		}
		if (at < dense) {
			make_row(s, at);
			s->n_dense = at + 1;
		}
	}
}

/* The outputs of a state and of the states on its way of fails. */
static void tell(const struct substrings *s, uint32_t at, void (*hit)(void *arg, uint32_t key), void *arg)
{
	for (uint32_t o = at; o != ROOT; o = s->nodes[o].more) {
		for (uint32_t out = s->nodes[o].out; out != 0; out = s->outputs[out - 1].next)
			hit(arg, s->outputs[out - 1].key);
	}
}

void substrings_find(const struct substrings *s, struct slice text, void (*hit)(void *arg, uint32_t key),
                     void *arg)
{
	BUG_ON(!s->finished || s->n_dense == 0);
	uint32_t at = ROOT;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		/* most octets stay where the states are rows; a letter's two cases share a class */
		if (at < s->n_dense)
			at = s->rows[(size_t)at * s->n_classes + s->class[c]];
		else
			at = step(s, at, fold(c));
		if (s->telling[at / 64] >> (at % 64) & 1)
			tell(s, at, hit, arg);
	}
}
