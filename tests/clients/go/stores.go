package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/accounts"
	"github.com/cloudflare/cloudflare-go/v7/d1"
	"github.com/cloudflare/cloudflare-go/v7/kv"
	"github.com/cloudflare/cloudflare-go/v7/memberships"
	"github.com/cloudflare/cloudflare-go/v7/packages/pagination"
	"github.com/cloudflare/cloudflare-go/v7/queues"
	"github.com/cloudflare/cloudflare-go/v7/r2"
	"github.com/cloudflare/cloudflare-go/v7/shared"
	"github.com/cloudflare/cloudflare-go/v7/user"
	"github.com/cloudflare/cloudflare-go/v7/zones"
)

func whoAsks() {
	call("user", func() (*user.UserGetResponse, error) { return client.User.Get(ctx) })
	call("user token", func() (*user.TokenVerifyResponse, error) { return client.User.Tokens.Verify(ctx) })
	call("accounts", func() (*pagination.V4PagePaginationArray[accounts.Account], error) {
		return client.Accounts.List(ctx, accounts.AccountListParams{})
	})
	call("account", func() (*accounts.Account, error) {
		return client.Accounts.Get(ctx, accounts.AccountGetParams{AccountID: cloudflare.F(account)})
	})
	call("account token", func() (*accounts.TokenVerifyResponse, error) {
		return client.Accounts.Tokens.Verify(ctx, accounts.TokenVerifyParams{AccountID: cloudflare.F(account)})
	})
	call("memberships", func() (*pagination.V4PagePaginationArray[memberships.Membership], error) {
		return client.Memberships.List(ctx, memberships.MembershipListParams{})
	})
	found := call("zones by name", func() (*pagination.V4PagePaginationArray[zones.Zone], error) {
		return client.Zones.List(ctx, zones.ZoneListParams{Name: cloudflare.F("example.com")})
	})
	if len(found.Result) == 1 {
		call("zone", func() (*zones.Zone, error) {
			return client.Zones.Get(ctx, zones.ZoneGetParams{ZoneID: cloudflare.F(found.Result[0].ID)})
		})
	}
}

func keys() {
	of := client.KV.Namespaces
	made := call("kv new", func() (*kv.Namespace, error) {
		return of.New(ctx, kv.NamespaceNewParams{AccountID: cloudflare.F(account), Title: cloudflare.F("by-go")})
	})
	call("kv get", func() (*kv.Namespace, error) {
		return of.Get(ctx, made.ID, kv.NamespaceGetParams{AccountID: cloudflare.F(account)})
	})
	call("kv rename", func() (*kv.Namespace, error) {
		return of.Update(ctx, made.ID, kv.NamespaceUpdateParams{AccountID: cloudflare.F(account), Title: cloudflare.F("by-go-2")})
	})
	call("kv put", func() (*kv.NamespaceValueUpdateResponse, error) {
		return of.Values.Update(ctx, made.ID, "a/ü b", kv.NamespaceValueUpdateParams{
			AccountID: cloudflare.F(account),
			Value:     cloudflare.F[kv.NamespaceValueUpdateParamsValueUnion](shared.UnionString("Some Value")),
			Metadata:  cloudflare.F[any](map[string]any{"n": 1}),
		})
	})
	if got, err := of.Values.Get(ctx, made.ID, "a/ü b", kv.NamespaceValueGetParams{AccountID: cloudflare.F(account)}); err == nil {
		text, _ := io.ReadAll(got.Body)
		expect("kv value", string(text) == "Some Value", string(text))
	} else {
		expect("kv value", false, err)
	}
	call("kv metadata", func() (*kv.NamespaceMetadataGetResponse, error) {
		return of.Metadata.Get(ctx, made.ID, "a/ü b", kv.NamespaceMetadataGetParams{AccountID: cloudflare.F(account)})
	})
	var bulk []kv.NamespaceBulkUpdateParamsBody
	for _, letter := range strings.Split("abcdefghijklmno", "") {
		bulk = append(bulk, kv.NamespaceBulkUpdateParamsBody{Key: cloudflare.F(letter), Value: cloudflare.F("x")})
	}
	call("kv bulk put", func() (*kv.NamespaceBulkUpdateResponse, error) {
		return of.BulkUpdate(ctx, made.ID, kv.NamespaceBulkUpdateParams{AccountID: cloudflare.F(account), Body: bulk})
	})
	count, pages := 0, of.Keys.ListAutoPaging(ctx, made.ID, kv.NamespaceKeyListParams{AccountID: cloudflare.F(account), Limit: cloudflare.F(10.0)})
	for pages.Next() {
		count++
	}
	expect("kv keys by pages", count == 16 && pages.Err() == nil, count)
	call("kv bulk get", func() (*kv.NamespaceBulkGetResponse, error) {
		return of.BulkGet(ctx, made.ID, kv.NamespaceBulkGetParams{AccountID: cloudflare.F(account), Keys: cloudflare.F([]string{"a", "b"})})
	})
	call("kv bulk delete", func() (*kv.NamespaceBulkDeleteResponse, error) {
		return of.BulkDelete(ctx, made.ID, kv.NamespaceBulkDeleteParams{AccountID: cloudflare.F(account), Body: []string{"a", "b"}})
	})
	listed, some := 0, of.ListAutoPaging(ctx, kv.NamespaceListParams{AccountID: cloudflare.F(account), PerPage: cloudflare.F(1.0)})
	for some.Next() {
		listed++
	}
	expect("kv list", listed >= 1 && some.Err() == nil, listed)
	call("kv delete", func() (*kv.NamespaceDeleteResponse, error) {
		return of.Delete(ctx, made.ID, kv.NamespaceDeleteParams{AccountID: cloudflare.F(account)})
	})
	refused("kv gone", 404, 10013, func() error {
		_, err := of.Get(ctx, made.ID, kv.NamespaceGetParams{AccountID: cloudflare.F(account)})
		return err
	})
}

func databases() {
	of := client.D1.Database
	made := call("d1 new", func() (*d1.D1, error) {
		return of.New(ctx, d1.DatabaseNewParams{AccountID: cloudflare.F(account), Name: cloudflare.F("by-go"), PrimaryLocationHint: cloudflare.F(d1.DatabaseNewParamsPrimaryLocationHintWeur)})
	})
	ask := func(name, sql string, values ...string) *pagination.SinglePage[d1.QueryResult] {
		return call(name, func() (*pagination.SinglePage[d1.QueryResult], error) {
			return of.Query(ctx, made.UUID, d1.DatabaseQueryParams{
				AccountID: cloudflare.F(account),
				Body:      d1.DatabaseQueryParamsBodyD1SingleQuery{Sql: cloudflare.F(sql), Params: cloudflare.F(values)},
			})
		})
	}
	ask("d1 create table", "create table notes (id integer primary key, text text unique)")
	ask("d1 insert", "insert into notes (text) values (?), (?)", "one", "ü")
	rows := ask("d1 select", "select * from notes order by id")
	expect("d1 rows", len(rows.Result) == 1 && len(rows.Result[0].Results) == 2, rows.Result)
	call("d1 raw", func() (*pagination.SinglePage[d1.DatabaseRawResponse], error) {
		return of.Raw(ctx, made.UUID, d1.DatabaseRawParams{AccountID: cloudflare.F(account), Body: d1.DatabaseRawParamsBodyD1SingleQuery{Sql: cloudflare.F("select * from notes")}})
	})
	refused("d1 constraint", 400, 7500, func() error {
		_, err := of.Query(ctx, made.UUID, d1.DatabaseQueryParams{AccountID: cloudflare.F(account), Body: d1.DatabaseQueryParamsBodyD1SingleQuery{Sql: cloudflare.F("insert into notes (text) values ('one')")}})
		return err
	})
	call("d1 get", func() (*d1.D1, error) {
		return of.Get(ctx, made.UUID, d1.DatabaseGetParams{AccountID: cloudflare.F(account)})
	})
	call("d1 list", func() (*pagination.V4PagePaginationArray[d1.DatabaseListResponse], error) {
		return of.List(ctx, d1.DatabaseListParams{AccountID: cloudflare.F(account), Name: cloudflare.F("by-go")})
	})
	call("d1 edit", func() (*d1.D1, error) {
		return of.Edit(ctx, made.UUID, d1.DatabaseEditParams{AccountID: cloudflare.F(account), ReadReplication: cloudflare.F(d1.DatabaseEditParamsReadReplication{Mode: cloudflare.F(d1.DatabaseEditParamsReadReplicationModeAuto)})})
	})
	call("d1 export", func() (*d1.DatabaseExportResponse, error) {
		return of.Export(ctx, made.UUID, d1.DatabaseExportParams{AccountID: cloudflare.F(account), OutputFormat: cloudflare.F(d1.DatabaseExportParamsOutputFormatPolling)})
	})
	call("d1 bookmark", func() (*d1.DatabaseTimeTravelGetBookmarkResponse, error) {
		return of.TimeTravel.GetBookmark(ctx, made.UUID, d1.DatabaseTimeTravelGetBookmarkParams{AccountID: cloudflare.F(account)})
	})
	call("d1 delete", func() (*d1.DatabaseDeleteResponse, error) {
		return of.Delete(ctx, made.UUID, d1.DatabaseDeleteParams{AccountID: cloudflare.F(account)})
	})
	refused("d1 gone", 404, 7404, func() error {
		_, err := of.Get(ctx, made.UUID, d1.DatabaseGetParams{AccountID: cloudflare.F(account)})
		return err
	})
}

func objects() {
	of, name := client.R2.Buckets, "by-go"
	call("r2 new", func() (*r2.Bucket, error) {
		return of.New(ctx, r2.BucketNewParams{AccountID: cloudflare.F(account), Name: cloudflare.F(name)})
	})
	call("r2 get", func() (*r2.Bucket, error) {
		return of.Get(ctx, name, r2.BucketGetParams{AccountID: cloudflare.F(account)})
	})
	call("r2 list", func() (*r2.BucketListResponse, error) {
		return of.List(ctx, r2.BucketListParams{AccountID: cloudflare.F(account)})
	})
	for _, key := range []string{"a.txt", "b/ü c.txt", "b/d.txt"} {
		call("r2 put "+key, func() (*r2.BucketObjectUploadResponse, error) {
			return of.Objects.Upload(ctx, name, key, io.Reader(bytes.NewBufferString("bytes")), r2.BucketObjectUploadParams{AccountID: cloudflare.F(account)})
		})
	}
	if got, err := of.Objects.Get(ctx, name, "b/ü c.txt", r2.BucketObjectGetParams{AccountID: cloudflare.F(account)}); err == nil {
		text, _ := io.ReadAll(got.Body)
		expect("r2 object", string(text) == "bytes", string(text))
	} else {
		expect("r2 object", false, err)
	}
	call("r2 objects", func() (*pagination.CursorPagination[r2.BucketObjectListResponse], error) {
		return of.Objects.List(ctx, name, r2.BucketObjectListParams{AccountID: cloudflare.F(account), Delimiter: cloudflare.F("/")})
	})
	count, pages := 0, of.Objects.ListAutoPaging(ctx, name, r2.BucketObjectListParams{AccountID: cloudflare.F(account), PerPage: cloudflare.F(int64(2))})
	for pages.Next() {
		count++
	}
	expect("r2 objects by pages", count == 3 && pages.Err() == nil, count)
	call("r2 cors put", func() (*r2.BucketCORSUpdateResponse, error) {
		return of.CORS.Update(ctx, name, r2.BucketCORSUpdateParams{AccountID: cloudflare.F(account), Rules: cloudflare.F([]r2.BucketCORSUpdateParamsRule{{
			Allowed: cloudflare.F(r2.BucketCORSUpdateParamsRulesAllowed{
				Methods: cloudflare.F([]r2.BucketCORSUpdateParamsRulesAllowedMethod{r2.BucketCORSUpdateParamsRulesAllowedMethodGet}),
				Origins: cloudflare.F([]string{"http://localhost:3000"}),
			}),
		}})})
	})
	call("r2 cors get", func() (*r2.BucketCORSGetResponse, error) {
		return of.CORS.Get(ctx, name, r2.BucketCORSGetParams{AccountID: cloudflare.F(account)})
	})
	call("r2 lifecycle get", func() (*r2.BucketLifecycleGetResponse, error) {
		return of.Lifecycle.Get(ctx, name, r2.BucketLifecycleGetParams{AccountID: cloudflare.F(account)})
	})
	call("r2 managed domain", func() (*r2.BucketDomainManagedListResponse, error) {
		return of.Domains.Managed.List(ctx, name, r2.BucketDomainManagedListParams{AccountID: cloudflare.F(account)})
	})
	call("r2 custom domains", func() (*r2.BucketDomainCustomListResponse, error) {
		return of.Domains.Custom.List(ctx, name, r2.BucketDomainCustomListParams{AccountID: cloudflare.F(account)})
	})
	refused("r2 not empty", 409, 10008, func() error {
		_, err := of.Delete(ctx, name, r2.BucketDeleteParams{AccountID: cloudflare.F(account)})
		return err
	})
	for _, key := range []string{"a.txt", "b/ü c.txt", "b/d.txt"} {
		call("r2 delete "+key, func() (*r2.BucketObjectDeleteResponse, error) {
			return of.Objects.Delete(ctx, name, key, r2.BucketObjectDeleteParams{AccountID: cloudflare.F(account)})
		})
	}
	call("r2 delete", func() (*r2.BucketDeleteResponse, error) {
		return of.Delete(ctx, name, r2.BucketDeleteParams{AccountID: cloudflare.F(account)})
	})
}

func messages() {
	of := client.Queues
	made := call("queue new", func() (*queues.Queue, error) {
		return of.New(ctx, queues.QueueNewParams{AccountID: cloudflare.F(account), QueueName: cloudflare.F("by-go")})
	})
	id := made.QueueID
	call("queue edit", func() (*queues.Queue, error) {
		return of.Edit(ctx, id, queues.QueueEditParams{AccountID: cloudflare.F(account), Queue: queues.QueueParam{Settings: cloudflare.F(queues.QueueSettingsParam{DeliveryDelay: cloudflare.F(0.0)})}})
	})
	consumer := call("queue consumer", func() (*queues.Consumer, error) {
		return of.Consumers.New(ctx, id, queues.ConsumerNewParams{AccountID: cloudflare.F(account), Body: queues.ConsumerNewParamsBodyMqHTTPConsumerRequest{
			Type: cloudflare.F(queues.ConsumerNewParamsBodyMqHTTPConsumerRequestTypeHTTPPull),
		}})
	})
	call("queue consumers", func() (*pagination.SinglePage[queues.Consumer], error) {
		return of.Consumers.List(ctx, id, queues.ConsumerListParams{AccountID: cloudflare.F(account)})
	})
	call("queue push", func() (*queues.MessagePushResponse, error) {
		return of.Messages.Push(ctx, id, queues.MessagePushParams{AccountID: cloudflare.F(account), Body: queues.MessagePushParamsBodyMqQueueMessageText{
			Body: cloudflare.F("one"), ContentType: cloudflare.F(queues.MessagePushParamsBodyMqQueueMessageTextContentTypeText),
		}})
	})
	call("queue bulk push", func() (*queues.MessageBulkPushResponse, error) {
		return of.Messages.BulkPush(ctx, id, queues.MessageBulkPushParams{AccountID: cloudflare.F(account), Messages: cloudflare.F([]queues.MessageBulkPushParamsMessageUnion{
			queues.MessageBulkPushParamsMessagesMqQueueMessageText{Body: cloudflare.F("two")},
		})})
	})
	call("queue peek", func() (*queues.MessagePeekResponse, error) {
		return of.Messages.Peek(ctx, id, queues.MessagePeekParams{AccountID: cloudflare.F(account)})
	})
	pulled := call("queue pull", func() (*queues.MessagePullResponse, error) {
		return of.Messages.Pull(ctx, id, queues.MessagePullParams{AccountID: cloudflare.F(account), BatchSize: cloudflare.F(10.0)})
	})
	expect("queue pulled", len(pulled.Messages) == 2, pulled.Messages)
	var acks []queues.MessageAckParamsAck
	for _, each := range pulled.Messages {
		acks = append(acks, queues.MessageAckParamsAck{LeaseID: cloudflare.F(each.LeaseID)})
	}
	call("queue ack", func() (*queues.MessageAckResponse, error) {
		return of.Messages.Ack(ctx, id, queues.MessageAckParams{AccountID: cloudflare.F(account), Acks: cloudflare.F(acks)})
	})
	call("queue metrics", func() (*queues.QueueGetMetricsResponse, error) {
		return of.GetMetrics(ctx, id, queues.QueueGetMetricsParams{AccountID: cloudflare.F(account)})
	})
	call("queue purge", func() (*queues.Queue, error) {
		return of.Purge.Start(ctx, id, queues.PurgeStartParams{AccountID: cloudflare.F(account), DeleteMessagesPermanently: cloudflare.F(true)})
	})
	call("queue get", func() (*queues.Queue, error) {
		return of.Get(ctx, id, queues.QueueGetParams{AccountID: cloudflare.F(account)})
	})
	call("queue list", func() (*pagination.SinglePage[queues.Queue], error) {
		return of.List(ctx, queues.QueueListParams{AccountID: cloudflare.F(account)})
	})
	call("queue consumer delete", func() (*queues.ConsumerDeleteResponse, error) {
		return of.Consumers.Delete(ctx, id, consumer.ConsumerID, queues.ConsumerDeleteParams{AccountID: cloudflare.F(account)})
	})
	call("queue delete", func() (*queues.QueueDeleteResponse, error) {
		return of.Delete(ctx, id, queues.QueueDeleteParams{AccountID: cloudflare.F(account)})
	})
}
