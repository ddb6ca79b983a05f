#include "oddhost/report/findings.h"

#include <math.h>

#include "oddhost/base/json.h"
#include "oddhost/base/text.h"
#include "oddhost/report/escape.h"

/* What comes from a host may be no UTF-8, which JSON must be. */
static struct json *string(const char *s)
{
	if (s == NULL || text_is_utf8(view_of(s)))
		return json_new_string(s);

	struct buf clean = {0};
	escape_utf8(&clean, view_of(s));
	struct json *node = json_new_string(buf_str(&clean));
	buf_free(&clean);
	return node;
}

/* Four digits are enough to rank, and the same bytes come out of any libm. */
static struct json *score(double x)
{
	return json_new_number(isfinite(x) ? round(x * 1e4) / 1e4 : 0);
}

static struct json *strings(const char *const *v, size_t n)
{
	struct json *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_push(array, string(v[i]));
	return array;
}

static struct json *evidence_json(const struct evidence *v, size_t n)
{
	struct json *array = json_array();

	for (size_t i = 0; i < n; i++) {
		struct json *item = json_push(array, json_object());
		json_set(item, "host", string(v[i].host));
		json_set(item, "probe", string(v[i].probe));
		json_set(
		    item, "line", v[i].line == 0 ? json_new_null() : json_new_number(v[i].line));
		json_set(item, "text", string(v[i].text));
	}
	return array;
}

static struct json *finding_json(const struct finding *f)
{
	struct json *item = json_object();

	json_set(item, "id", string(f->id));
	json_set(item, "rule", string(f->rule));
	json_set_string(item, "severity", severity_name(f->severity));
	json_set_string(item, "confidence", confidence_name(f->confidence));
	json_set(item, "hosts", strings(f->hosts, f->n_hosts));
	json_set(item, "target", string(f->target));
	json_set(item, "address", string(f->address));
	json_set(item, "prefix", string(f->prefix));
	json_set(item, "summary", string(f->summary));
	json_set(item, "why", string(f->why));
	json_set(item, "evidence", evidence_json(f->evidence, f->n_evidence));
	json_set(item, "fix", strings(f->fix, f->n_fix));
	json_set(item, "fingerprint", string(f->fingerprint));
	json_set(item, "state", string(finding_state_name(f->state)));
	return item;
}

/* The findings of the baseline that are no more, or of which it cannot be told. */
static struct json *gone_json(const struct diagnosis *d, bool resolved)
{
	struct json *array = json_array();

	for (size_t i = 0; i < d->n_gone; i++) {
		if (d->gone[i].now == NULL && d->gone[i].resolved == resolved)
			json_push(array, finding_json(d->gone[i].finding));
	}
	return array;
}

/* Those that have become another finding, whose id is in "now". */
static struct json *changed_json(const struct diagnosis *d)
{
	struct json *array = json_array();

	for (size_t i = 0; i < d->n_gone; i++) {
		if (d->gone[i].now == NULL)
			continue;
		struct json *item = finding_json(d->gone[i].finding);
		json_set(item, "now", string(d->gone[i].now->id));
		json_push(array, item);
	}
	return array;
}

static struct json *baseline_json(const struct diagnosis *d)
{
	if (d->baseline == NULL)
		return json_new_null();

	struct json *item = json_object();
	json_set(item, "group", string(d->baseline->run->meta.group));
	json_set(item, "started", string(d->baseline->run->meta.started));
	json_set(item, "resolved", gone_json(d, true));
	json_set(item, "unverified", gone_json(d, false));
	json_set(item, "changed", changed_json(d));
	return item;
}

/* Null: not known, or none. */
static struct json *cloud_json(const struct cloud *cloud)
{
	char text[PREFIX_TEXT_SIZE];

	if (cloud->provider == NULL)
		return json_new_null();

	struct json *item = json_object();
	json_set(item, "provider", string(cloud->provider));
	json_set(item, "instance", string(cloud->instance));
	json_set(item, "type", string(cloud->type));
	json_set(item, "region", string(cloud->region));
	json_set(item, "zone", string(cloud->zone));
	json_set(item, "vpc", string(cloud->vpc));
	json_set(item, "subnet", string(cloud->subnet));
	struct json *prefixes = json_set(item, "prefixes", json_array());
	for (size_t i = 0; i < cloud->n_prefixes; i++) {
		struct json *one = json_push(prefixes, json_object());
		json_set_string(one, "of", cloud->prefixes[i].vpc ? "vpc" : "subnet");
		json_set_string(one, "prefix", prefix_format(&cloud->prefixes[i].prefix, text));
	}
	return item;
}

static struct json *host_json(const struct host_view *view)
{
	const struct host_record *record = view->host->record;
	struct json *item = json_object();

	json_set(item, "host", string(record->name));
	json_set_string(item, "status", host_status_name(record->status));
	json_set(item, "error",
	    record->error == NULL || *record->error == '\0' ? json_new_null()
							    : string(record->error));

	json_set(item, "cloud", cloud_json(&view->host->cloud));
	struct json *outlier = json_set(item, "outlier", json_object());
	json_set(outlier, "score", score(view->score));
	struct json *differs = json_set(outlier, "differs", json_array());
	for (size_t i = 0; i < view->n_differs; i++) {
		const struct difference *d = &view->differs[i];
		struct json *one = json_push(differs, json_object());
		json_set_string(one, "facet", facet_name(d->facet));
		json_set(one, "key", string(d->key));
		json_set(one, "value", string(d->value));
		json_set(one, "others", string(d->others));
		json_set(one, "share", score((double)d->agree / (double)d->compared));
	}
	return item;
}

static struct json *suspect_json(const struct suspect *s)
{
	struct json *item = json_object();

	json_set_string(item, "facet", facet_name(s->facet));
	json_set(item, "key", string(s->key));
	json_set(item, "value", string(s->value));
	json_set(item, "score", score(s->score));
	json_set(item, "target", string(s->target));
	json_set(item, "failing", strings(s->failing, s->n_failing));
	json_set(item, "passing", strings(s->passing, s->n_passing));
	return item;
}

void findings_write(const struct diagnosis *d, struct buf *out)
{
	struct json *root = json_object();

	json_set_string(root, "schema", "oddhost.findings/1");
	struct json *verdict = json_set(root, "verdict", json_object());
	json_set_string(verdict, "severity", severity_name(d->severity));
	json_set(verdict, "summary", string(d->summary));
	struct json *findings = json_set(root, "findings", json_array());
	for (size_t i = 0; i < d->n_findings; i++)
		json_push(findings, finding_json(&d->findings[i]));
	struct json *hosts = json_set(root, "hosts", json_array());
	for (size_t i = 0; i < d->n_hosts; i++)
		json_push(hosts, host_json(&d->hosts[i]));
	struct json *suspects = json_set(root, "suspects", json_array());
	for (size_t i = 0; i < d->n_suspects; i++)
		json_push(suspects, suspect_json(&d->suspects[i]));
	struct json *ruled_out = json_set(root, "ruled_out", json_array());
	for (size_t i = 0; i < d->n_ruled_out; i++) {
		struct json *item = json_push(ruled_out, json_object());
		json_set(item, "claim", string(d->ruled_out[i].text));
		json_set(item, "evidence",
		    evidence_json(d->ruled_out[i].evidence, d->ruled_out[i].n_evidence));
	}
	json_set(root, "baseline", baseline_json(d));
	json_set(root, "notes", strings(d->notes, d->n_notes));
	json_print(root, true, out);
	json_free(root);
}
