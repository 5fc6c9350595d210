/* SPDX-License-Identifier: ISC */
/* Damerau's distance (neighbours only) for short words: three rows. */
#include "common/nearest.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#define WORD_MAX 63

static int
least(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static int
cell(const char *a, const char *b, size_t j, int rows[3][WORD_MAX + 1])
{
	int cost = same(a[0], b[j - 1]) ? 0 : 1;

	return least(rows[1][j] + 1, rows[2][j - 1] + 1, rows[1][j - 1] + cost);
}

int
nearest_distance(const char *a, const char *b)
{
	int rows[3][WORD_MAX + 1]; /* before the last, last, this one */
	size_t i, j, la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return INT_MAX;
	for (j = 0; j <= lb; j++)
		rows[1][j] = rows[2][j] = (int)j;
	for (i = 1; i <= la; i++) {
		rows[2][0] = (int)i;
		for (j = 1; j <= lb; j++) {
			rows[2][j] = cell(a + i - 1, b, j, rows);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				rows[2][j] = least(rows[2][j],
				    rows[0][j - 2] + 1, rows[2][j]);
		}
		memcpy(rows[0], rows[1], sizeof(rows[0]));
		memcpy(rows[1], rows[2], sizeof(rows[1]));
	}
	return rows[1][lb];
}

int
nearest_limit(const char *given)
{
	return (int)(strlen(given) / 3) + 1;
}

bool
nearest_offer(const char *given, const char *candidate, int *best)
{
	int d = nearest_distance(given, candidate);

	if (d >= *best)
		return false;
	*best = d;
	return true;
}
