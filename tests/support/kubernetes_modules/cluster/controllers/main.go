// Command controllers runs five of Kubernetes' own controllers in one process: those of namespaces, deployments, replica
// sets and jobs, and the garbage collector. With them, what tests create and delete has the consequences that it has in a
// cluster. There is no scheduler and no kubelet, so pods stay Pending.
//
// Its argument is the path of a kubeconfig. It runs until it is ended.
package main

import (
	"context"
	"log"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
)

const (
	resync = 10 * time.Minute
	// The garbage collector learns of new custom resources this often.
	discovery = 5 * time.Second
	workers   = 3
	// Replicas that the controller of replica sets creates at once.
	burst = 500
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: controllers KUBECONFIG")
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	// The usual limit, 5 requests a second, would make tests wait.
	config.QPS, config.Burst = 200, 400
	if err := run(context.Background(), config); err != nil {
		log.Fatal(err)
	}
}

// run starts the controllers and returns when the context ends.
func run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	objects := informers.NewSharedInformerFactory(client, resync)
	anyObjects := metadatainformer.NewSharedInformerFactory(metadataClient, resync)
	pods, replicaSets := objects.Core().V1().Pods(), objects.Apps().V1().ReplicaSets()

	deployments, err := deployment.NewDeploymentController(
		ctx, objects.Apps().V1().Deployments(), replicaSets, pods, client)
	if err != nil {
		return err
	}
	jobs, err := job.NewController(ctx, pods, objects.Batch().V1().Jobs(), client)
	if err != nil {
		return err
	}
	// Events are too many, and nothing depends on them.
	ignored := map[schema.GroupResource]struct{}{
		{Group: "", Resource: "events"}:              {},
		{Group: "events.k8s.io", Resource: "events"}: {},
	}
	started := make(chan struct{})
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	garbage, err := garbagecollector.NewGarbageCollector(
		ctx, client, metadataClient, mapper, ignored, informerfactory.NewInformerFactory(objects, anyObjects), started)
	if err != nil {
		return err
	}
	namespaces := namespace.NewNamespaceController(
		ctx, client, metadataClient, client.Discovery().ServerPreferredNamespacedResources,
		objects.Core().V1().Namespaces(), resync, corev1.FinalizerKubernetes)

	go replicaset.NewReplicaSetController(ctx, replicaSets, pods, client, burst).Run(ctx, workers)
	go deployments.Run(ctx, workers)
	go jobs.Run(ctx, workers)
	go namespaces.Run(ctx, workers)
	go garbage.Run(ctx, workers)
	go garbage.Sync(ctx, client.Discovery(), discovery)
	objects.Start(ctx.Done())
	anyObjects.Start(ctx.Done())
	close(started)
	<-ctx.Done()
	return nil
}
